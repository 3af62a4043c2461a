package account

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what a user gives.
const (
	MaxIDChars       = 64
	MaxNameChars     = 64  // combining marks are not counted
	MaxNameBytes     = 256 // marks and all
	MinPasswordChars = 8
	MaxPasswordBytes = 72 // bcrypt reads no further
)

var idRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// NormalizeID gives the one spelling of an id: without surrounding spaces,
// lower case. An id is 1 to 64 letters a-z, digits, dots, underscores and
// hyphens, and starts with a letter or a digit; anything else is an [*Error]
// with invalid_id.
func NormalizeID(id string) (string, error) {
	if len(id) <= 4*MaxIDChars {
		id = strings.ToLower(strings.TrimSpace(id))
		if idRule.MatchString(id) {
			return id, nil
		}
	}
	return "", &Error{
		Code:  CodeInvalidID,
		Field: "id",
		Message: fmt.Sprintf("A user ID has 1 to %d letters a-z, digits, dots, underscores or hyphens, "+
			"and starts with a letter or a digit.", MaxIDChars),
	}
}

// CleanName gives the name as [TextRule.Clean] does: not empty, of at most
// MaxNameChars.
func CleanName(name string) (string, error) { return nameRule.Clean(name) }

var nameRule = TextRule{Code: CodeInvalidName, Field: "name", What: "name", MaxChars: MaxNameChars, MaxBytes: MaxNameBytes}

// TextRule is what holds for a line of text that others read.
type TextRule struct {
	Code, Field string // of the [*Error]
	What        string // in its sentence: "name"
	MaxChars    int    // combining marks are not counted
	MaxBytes    int    // marks and all
	Optional    bool   // may be empty
}

// Clean gives the text without surrounding spaces, otherwise as given: it is
// text, and composed and decomposed spellings are both accepted. It refuses,
// as an [*Error], invalid UTF-8, texts without a visible character or that are
// too long, line breaks and other control characters, and what could dress up
// one text as another and not be seen: bidirectional controls (Unicode
// Bidi_Control), characters without width, and joiners where they join nothing.
func (rule TextRule) Clean(text string) (string, error) {
	refuse := func(message string) (string, error) {
		return "", &Error{Code: rule.Code, Field: rule.Field, Message: message}
	}
	tooLong := func() (string, error) {
		return refuse(fmt.Sprintf("The %s is too long. Give at most %d characters.", rule.What, rule.MaxChars))
	}
	text = strings.TrimSpace(text)
	if text == "" && rule.Optional {
		return "", nil
	}
	if !utf8.ValidString(text) {
		return refuse(fmt.Sprintf("The %s is not valid text (UTF-8).", rule.What))
	}
	if len(text) > rule.MaxBytes {
		return tooLong()
	}
	chars, visible, before := 0, false, rune(0)
	for _, r := range text {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return refuse(fmt.Sprintf("The %s contains a control character. Remove it.", rule.What))
		}
		if isUnseen(r) || isJoiner(r) && !joins(before) {
			return refuse(fmt.Sprintf("The %s contains an invisible character. Remove it.", rule.What))
		}
		before = r
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			chars++
		}
		visible = visible || unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
	}
	if !visible {
		return refuse(fmt.Sprintf("Give a %s.", rule.What))
	}
	if chars > rule.MaxChars {
		return tooLong()
	}
	return text, nil
}

func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// joins says whether a joiner after r can change how the text looks: it does
// in Arabic, Indic and emoji, and not in the scripts listed here.
func joins(r rune) bool {
	return r > unicode.MaxASCII && !isJoiner(r) && !unicode.In(r,
		unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Hangul, unicode.Bopomofo, unicode.N, unicode.P, unicode.Z)
}

// isUnseen says whether r draws nothing. Variation selectors stay: emoji need
// them.
func isUnseen(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\u034f':
		return true // fillers, the blank Braille pattern, the grapheme joiner
	}
	return unicode.Is(unicode.Cf, r) && !isJoiner(r)
}

func checkNewPassword(password string) error {
	if utf8.RuneCountInString(password) < MinPasswordChars {
		return &Error{
			Code:    CodePasswordTooShort,
			Field:   "password",
			Message: fmt.Sprintf("The password is too short. Give at least %d characters.", MinPasswordChars),
		}
	}
	return checkPasswordSize(password, "password")
}

// checkPasswordSize guards every comparison too: bcrypt would compare the
// first 72 bytes of a longer password alone.
func checkPasswordSize(password, field string) error {
	if len(password) <= MaxPasswordBytes {
		return nil
	}
	return &Error{
		Code:  CodePasswordTooLong,
		Field: field,
		Message: fmt.Sprintf("The password is too long. Give at most %d bytes: letters a-z and digits take one byte, "+
			"most other characters two to four.", MaxPasswordBytes),
	}
}
