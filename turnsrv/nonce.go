package turnsrv

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	// nonceLifetime is as RFC 8656 section 5 recommends.
	nonceLifetime = time.Hour
	nonceMAC      = 12
)

// nonces makes NONCE values (RFC 8489 section 14.10) that the server need not
// remember: a time and a MAC over it and the client's address. So nobody gets
// past the nonce who cannot receive at the address that the request came from.
// The time is counted from the server's start, since an offline site's clock
// jumps.
type nonces struct {
	key   [sha256.Size]byte
	began time.Time
}

func newNonces() *nonces {
	n := &nonces{began: time.Now()}
	_, _ = rand.Read(n.key[:]) // never fails
	return n
}

func (n *nonces) issue(client netip.Addr) string {
	return n.issueAt(client, time.Since(n.began))
}

func (n *nonces) issueAt(client netip.Addr, age time.Duration) string {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, 4+nonceMAC), uint32(age/time.Second))
	return base64.RawURLEncoding.EncodeToString(n.seal(value, client))
}

// valid reports whether the nonce was issued to the client within its lifetime.
func (n *nonces) valid(nonce []byte, client netip.Addr) bool {
	return n.validAt(nonce, client, time.Since(n.began))
}

func (n *nonces) validAt(nonce []byte, client netip.Addr, age time.Duration) bool {
	var value [4 + nonceMAC]byte
	if len(nonce) != base64.RawURLEncoding.EncodedLen(len(value)) {
		return false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(value[:], nonce); err != nil {
		return false
	}
	issued := time.Duration(binary.BigEndian.Uint32(value[:])) * time.Second
	if issued > age || age-issued > nonceLifetime {
		return false
	}
	return hmac.Equal(value[:], n.seal(append(make([]byte, 0, len(value)), value[:4]...), client))
}

func (n *nonces) seal(value []byte, client netip.Addr) []byte {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(value)
	address := client.As16()
	mac.Write(address[:])
	var sum [sha256.Size]byte
	return append(value, mac.Sum(sum[:0])[:nonceMAC]...)
}
