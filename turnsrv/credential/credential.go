// Package credential makes and reads the time-limited credentials with which a
// signed-in client may use the relay.
//
// The form is the one known as the TURN REST API: the username carries the
// expiry and who it is for, the password is an HMAC over it. A server that
// knows the secret needs no database to check it, and any other TURN server
// with the same secret accepts it too.
package credential

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	maxPart = 64
	// maxExpiry is 9999-12-31T23:59:59Z: what still prints as a four-digit year.
	maxExpiry = 253402300799
)

// ErrMalformed means that a username is not `<expiry>:<subject>.<session>`.
var ErrMalformed = errors.New("credential: username is not <expiry-unix>:<subject>.<session>; ask the server for a new one")

// Identity is what a username says.
type Identity struct {
	// Subject is the account: [a-z0-9._-], 1 to 64 characters.
	Subject string
	// SessionID is the session's jti: [A-Za-z0-9_-], 1 to 64 characters.
	SessionID string
	// Expiry is when the credential stops opening anything new (whole seconds).
	Expiry time.Time
}

// Issue returns the credential of one session, valid until expiry (cut to
// whole seconds). It does not check its arguments: a subject or session
// outside the alphabets of Identity gives a username that Parse refuses.
func Issue(secret []byte, subject, sessionID string, expiry time.Time) (username, password string) {
	username = strconv.FormatInt(expiry.Unix(), 10) + ":" + subject + "." + sessionID
	return username, Password(secret, username)
}

// Password returns base64(HMAC-SHA1(secret, username)), the long-term
// credential's password (RFC 8489 section 9.2).
func Password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Parse reads a username. It proves nothing: whoever sent it must still show
// that they know its password. The error is ErrMalformed. There is exactly one
// spelling of an identity, so equal identities have equal usernames.
func Parse(username string) (Identity, error) {
	digits, rest, found := strings.Cut(username, ":")
	// The subject may contain dots and the session has none.
	dot := strings.LastIndexByte(rest, '.')
	if !found || dot < 0 {
		return Identity{}, ErrMalformed
	}
	expiry, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || expiry < 1 || expiry > maxExpiry || strconv.FormatInt(expiry, 10) != digits {
		return Identity{}, ErrMalformed
	}
	subject, sessionID := rest[:dot], rest[dot+1:]
	if !validPart(subject, isSubject) || !validPart(sessionID, isSession) {
		return Identity{}, ErrMalformed
	}
	return Identity{Subject: subject, SessionID: sessionID, Expiry: time.Unix(expiry, 0)}, nil
}

func validPart(part string, allowed func(byte) bool) bool {
	if len(part) < 1 || len(part) > maxPart {
		return false
	}
	for i := range len(part) {
		if !allowed(part[i]) {
			return false
		}
	}
	return true
}

func isSubject(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

func isSession(c byte) bool {
	return c != '.' && (isSubject(c) || c >= 'A' && c <= 'Z')
}
