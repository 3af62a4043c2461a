// Package desktop opens a site as a window of an installed Chrome, Edge or Chromium, without
// a certificate being installed on the computer: the person compares the site's CA once, and
// the browser is then told to accept the very key of that site's server.
//
// The key is the leaf's. A browser that is told to accept a CA's key takes any certificate of
// that CA for any name.
package desktop

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

const (
	defaultPort = "8443"
	pairing     = "fieldphone"
)

// Fingerprint is the SHA-256 of a certificate in DER.
type Fingerprint [sha256.Size]byte

// ParseFingerprint reads 64 hexadecimal digits, with or without colons, hyphens or spaces.
func ParseFingerprint(text string) (f Fingerprint, err error) {
	digits := strings.NewReplacer(":", "", " ", "", "-", "").Replace(text)
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(f) {
		return f, fmt.Errorf("%q is no SHA-256: it has 64 digits 0-9 and A-F, like the server shows them", text)
	}
	return Fingerprint(raw), nil
}

// String returns the form that servers and devices show: upper-case, with colons.
func (f Fingerprint) String() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", f[:]), " ", ":")
}

// Target is the page to open.
type Target struct {
	URL *url.URL     // https, with an explicit port unless it is 443
	CA  *Fingerprint // of a pairing link
}

// Site returns the host and port in one form for every way to write them.
func (t Target) Site() string { return net.JoinHostPort(t.URL.Hostname(), t.port()) }

func (t Target) port() string {
	if port := t.URL.Port(); port != "" {
		return port
	}
	return "443"
}

// ParseTarget reads what a person pastes: an https URL, a host or address with or without a
// port (8443 if there is none), or a pairing link, fieldphone://pair?url=URL&ca=SHA256.
func ParseTarget(text string) (Target, error) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		text = net.JoinHostPort(addr.String(), defaultPort)
	}
	scheme, _, hasScheme := strings.Cut(text, "://")
	if !hasScheme {
		host, rest, hasPath := strings.Cut(text, "/")
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(host, defaultPort)
		}
		if hasPath {
			rest = "/" + rest
		}
		text = "https://" + host + rest
	}
	u, err := url.Parse(text)
	if err != nil {
		return Target{}, fmt.Errorf("%q is no address of a page; write it like https://192.168.1.10:8443/", text)
	}
	switch strings.ToLower(scheme) {
	case pairing:
		return parsePairing(u)
	case "http":
		return Target{}, fmt.Errorf("%s is not encrypted, and browsers give no camera to it; use the https address that the server shows, like https://%s/", u, net.JoinHostPort(u.Hostname(), defaultPort))
	}
	return target(u)
}

func target(u *url.URL) (Target, error) {
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.HasPrefix(u.Hostname(), "-") {
		return Target{}, fmt.Errorf("%q is no address of a page; write it like https://192.168.1.10:8443/", u.Redacted())
	}
	u.Host = strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	return Target{URL: u}, nil
}

func parsePairing(link *url.URL) (Target, error) {
	query, err := url.ParseQuery(link.RawQuery)
	if err != nil || link.Host != "pair" || len(query["url"]) != 1 || len(query["ca"]) != 1 {
		return Target{}, errors.New("the pairing link is not whole; it looks like fieldphone://pair?url=URL&ca=SHA256")
	}
	ca, err := ParseFingerprint(query.Get("ca"))
	if err != nil {
		return Target{}, fmt.Errorf("the pairing link: %w", err)
	}
	u, err := url.Parse(query.Get("url"))
	if err != nil {
		return Target{}, errors.New("the pairing link names no page; it looks like fieldphone://pair?url=URL&ca=SHA256")
	}
	t, err := target(u)
	if err != nil {
		return Target{}, fmt.Errorf("the pairing link: %w", err)
	}
	t.CA = &ca
	return t, nil
}
