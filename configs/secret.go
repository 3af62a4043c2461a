package configs

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a set secret shows itself as.
const redacted = "[redacted]"

// Secret is a text that no printer, logger or encoder shows: only Reveal does. The zero
// value is a secret that is not set.
type Secret struct {
	// A pointer, because fmt reads the unexported fields of a struct without asking
	// its methods, and prints a nested pointer as an address.
	text *string
}

// NewSecret wraps text. An empty text is the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text itself, empty if it is not set.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.text != nil }

// Equal compares the texts in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]", or nothing if the secret is not set.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return redacted
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format is String for every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) {
	// A fmt.State has nowhere to report a failed write to.
	_, _ = io.WriteString(f, s.String())
}

// LogValue is String, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for encoding/json and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is String, for YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
