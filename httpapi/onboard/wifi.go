package onboard

import (
	"errors"
	"strings"
)

// WiFi is a wireless network for people to join.
type WiFi struct {
	SSID     string
	Password string // of WPA2 or WPA3; empty: an open network
}

// Check returns what makes w a network that cannot be (IEEE 802.11: an SSID has at most
// 32 bytes; a WPA passphrase has 8 to 63 printable ASCII characters, a key 64 hex digits).
func (w WiFi) Check() error {
	const longestSSID, shortest, longest, key = 32, 8, 63, 64
	if w.SSID == "" || len(w.SSID) > longestSSID {
		return errors.New("the name of a Wi-Fi network (SSID) has from 1 to 32 bytes")
	}
	if strings.ContainsFunc(w.SSID, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("the name of the Wi-Fi network holds a character that cannot be printed")
	}
	if w.Password == "" {
		return nil
	}
	if strings.ContainsFunc(w.Password, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("a Wi-Fi password holds only letters, digits and signs of ASCII")
	}
	hex := strings.Trim(w.Password, "0123456789abcdefABCDEF") == ""
	if n := len(w.Password); n < shortest || n > longest && (n != key || !hex) {
		return errors.New("a Wi-Fi password has from 8 to 63 characters")
	}
	return nil
}

// Code is what a QR code holds to join w, in the form that cameras of Android and iOS
// read. The signs that part its fields are escaped with a backslash.
func (w WiFi) Code() string {
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `:`, `\:`, `"`, `\"`)
	if w.Password == "" {
		return "WIFI:T:nopass;S:" + escape.Replace(w.SSID) + ";;"
	}
	return "WIFI:T:WPA;S:" + escape.Replace(w.SSID) + ";P:" + escape.Replace(w.Password) + ";;"
}
