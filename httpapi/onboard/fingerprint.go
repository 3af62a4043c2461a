package onboard

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
)

// Fingerprint is the SHA-256 of a certificate.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns the fingerprint of a certificate in DER.
func FingerprintOf(der []byte) Fingerprint { return sha256.Sum256(der) }

const (
	digitGroups = 6
	groupDigits = 5
	// DigitBits is how many bits of the fingerprint the digits hold (10^30 is a little
	// more than 2^99): so many that nobody can make another certificate with the same.
	DigitBits = 99
)

// Hex is the whole fingerprint as devices show it: upper-case hex with colons.
func (f Fingerprint) Hex() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", f[:]), " ", ":")
}

// HexLines is Hex in two lines of equal length.
func (f Fingerprint) HexLines() [2]string {
	text := f.Hex()
	half := len(f) / 2 * len("AB:")
	return [2]string{text[:half], text[half:]}
}

// Digits is the short form that people compare in any language: six groups of five
// digits, the first 128 bits as a big-endian number modulo 10^30. It holds DigitBits.
func (f Fingerprint) Digits() string {
	const leading = 16 // bytes
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(digitGroups*groupDigits), nil)
	n := new(big.Int).SetBytes(f[:leading])
	text := fmt.Sprintf("%0*d", digitGroups*groupDigits, n.Mod(n, limit))
	var groups []string
	for i := 0; i < len(text); i += groupDigits {
		groups = append(groups, text[i:i+groupDigits])
	}
	return strings.Join(groups, " ")
}

// Short is the first two groups of Digits without a space. Links carry it, so that the
// page can tell when it was not meant; it proves nothing.
func (f Fingerprint) Short() string {
	return strings.ReplaceAll(f.Digits(), " ", "")[:2*groupDigits]
}
