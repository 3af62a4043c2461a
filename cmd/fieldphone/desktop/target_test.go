package desktop

import (
	"strings"
	"testing"
)

const digits = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct{ text, url, site string }{
		{"https://192.168.1.10:8443/", "https://192.168.1.10:8443/", "192.168.1.10:8443"},
		{" 192.168.1.10 ", "https://192.168.1.10:8443/", "192.168.1.10:8443"},
		{"192.168.1.10:9000", "https://192.168.1.10:9000/", "192.168.1.10:9000"},
		{"FieldPhone.local", "https://fieldphone.local:8443/", "fieldphone.local:8443"},
		{"phone.lan/?lang=zh-CN", "https://phone.lan:8443/?lang=zh-CN", "phone.lan:8443"},
		{"https://phone.lan/#join=abc", "https://phone.lan/#join=abc", "phone.lan:443"},
		{"fd00::1", "https://[fd00::1]:8443/", "[fd00::1]:8443"},
		{"https://[fd00::1]:9/", "https://[fd00::1]:9/", "[fd00::1]:9"},
		{"fieldphone://pair?url=https%3A%2F%2F10.0.0.1%3A8443%2F&ca=" + digits, "https://10.0.0.1:8443/", "10.0.0.1:8443"},
	} {
		got, err := ParseTarget(tt.text)
		if err != nil || got.URL.String() != tt.url || got.Site() != tt.site {
			t.Errorf("%s: %v %v", tt.text, got.URL, err)
			continue
		}
		if pair := strings.HasPrefix(tt.text, "fieldphone:"); pair != (got.CA != nil) {
			t.Errorf("%s: CA %v", tt.text, got.CA)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, tt := range []struct{ text, why string }{
		{"http://192.168.1.10:8080/", "https://192.168.1.10:8443/"},
		{"", "no address"},
		{"https://", "no address"},
		{"https://me:secret@host/", "no address"},
		{"https://-app/", "no address"},
		{"file:///etc/passwd", "no address"},
		{"javascript://x", "no address"},
		{"https://host:port/", "no address"},
		{"fieldphone://pair?url=https://h/", "not whole"},
		{"fieldphone://pair?url=https://h/&ca=" + digits + "&ca=" + digits, "not whole"},
		{"fieldphone://other?url=https://h/&ca=" + digits, "not whole"},
		{"fieldphone://pair?url=http://h/&ca=" + digits, "no address"},
		{"fieldphone://pair?url=https://h/&ca=12", "no SHA-256"},
	} {
		if got, err := ParseTarget(tt.text); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%q: %v %v, want an error with %q", tt.text, got.URL, err, tt.why)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows a password: %v", tt.text, err)
		}
	}
}

func TestFingerprints(t *testing.T) {
	f, err := ParseFingerprint(digits)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseFingerprint(f.String())
	if err != nil || again != f || !strings.HasPrefix(f.String(), "00:11:22:") || len(f.String()) != 95 {
		t.Errorf("%s %v", f, err)
	}
	for _, bad := range []string{"", digits[1:], digits + "00", "zz" + digits[2:]} {
		if _, err := ParseFingerprint(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
