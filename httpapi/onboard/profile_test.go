package onboard

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

// plist is a property list as Apple's parsers see it: dict, array and text.
type plist struct {
	kind string
	text string
	list []plist
}

func parsePlist(t *testing.T, text []byte) plist {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			t.Fatal("there is no plist")
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Local != "plist" {
				t.Fatalf("it begins with %s", start.Name.Local)
			}
			return parseElement(t, d, start).list[0]
		}
	}
}

func parseElement(t *testing.T, d *xml.Decoder, start xml.StartElement) plist {
	t.Helper()
	p := plist{kind: start.Name.Local}
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			p.list = append(p.list, parseElement(t, d, token))
		case xml.CharData:
			p.text += string(token)
		case xml.EndElement:
			return p
		}
	}
}

// get returns the value of a key of a dict.
func (p plist) get(t *testing.T, key, kind string) plist {
	t.Helper()
	for i := 0; i+1 < len(p.list); i += 2 {
		if p.list[i].kind == "key" && p.list[i].text == key {
			if p.list[i+1].kind != kind {
				t.Fatalf("%s is a %s, want %s", key, p.list[i+1].kind, kind)
			}
			return p.list[i+1]
		}
	}
	t.Fatalf("there is no %s", key)
	return plist{}
}

func TestProfileIsWhatAppleAsksFor(t *testing.T) {
	ca := *testCA()
	ca.Name = `Fieldphone <CA> & "Söhne"`
	text, err := Profile(ca)
	if err != nil {
		t.Fatal(err)
	}
	profile := parsePlist(t, text)
	want := func(p plist, key, value string) {
		t.Helper()
		if got := p.get(t, key, "string").text; got != value {
			t.Errorf("%s is %q, want %q", key, got, value)
		}
	}
	want(profile, "PayloadType", "Configuration")
	want(profile, "PayloadDisplayName", ca.Name)
	if got := profile.get(t, "PayloadVersion", "integer").text; got != "1" {
		t.Errorf("version %s", got)
	}
	content := profile.get(t, "PayloadContent", "array")
	if len(content.list) != 1 {
		t.Fatalf("%d payloads", len(content.list))
	}
	root := content.list[0]
	want(root, "PayloadType", "com.apple.security.root")
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(root.get(t, "PayloadContent", "data").text))
	if err != nil || !bytes.Equal(der, ca.DER) {
		t.Errorf("it holds %q (%v)", der, err)
	}
	uuid := regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`)
	outer, inner := profile.get(t, "PayloadUUID", "string").text, root.get(t, "PayloadUUID", "string").text
	if !uuid.MatchString(outer) || !uuid.MatchString(inner) || outer == inner {
		t.Errorf("UUIDs %s and %s", outer, inner)
	}
	if profile.get(t, "PayloadIdentifier", "string").text == root.get(t, "PayloadIdentifier", "string").text {
		t.Error("both payloads have one identifier")
	}
}

// A profile that is installed again replaces itself; that of another CA stands beside it.
func TestProfileIsStable(t *testing.T) {
	first, _ := Profile(*testCA())
	again, _ := Profile(*testCA())
	other := *testCA()
	other.DER = []byte("another certificate")
	other.Fingerprint = FingerprintOf(other.DER)
	third, _ := Profile(other)
	if !bytes.Equal(first, again) {
		t.Error("the same CA gives another profile")
	}
	id := func(text []byte) string { return parsePlist(t, text).get(t, "PayloadIdentifier", "string").text }
	if id(first) == id(third) {
		t.Error("two CAs share an identifier")
	}
}

func TestDigits(t *testing.T) {
	for _, tt := range []struct {
		fingerprint     Fingerprint
		digits, shorted string
	}{
		{Fingerprint{}, "00000 00000 00000 00000 00000 00000", "0000000000"},
		{Fingerprint{15: 7}, "00000 00000 00000 00000 00000 00007", "0000000000"},
		{Fingerprint{16: 7}, "00000 00000 00000 00000 00000 00000", "0000000000"}, // after the first 128 bits
		// 2^128-1 is 340282366920938463463374607431768211455.
		{Fingerprint{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "92093 84634 63374 60743 17682 11455", "9209384634"},
	} {
		if got := tt.fingerprint.Digits(); got != tt.digits {
			t.Errorf("%x: %s, want %s", tt.fingerprint, got, tt.digits)
		}
		if got := tt.fingerprint.Short(); got != tt.shorted {
			t.Errorf("%x: %s, want %s", tt.fingerprint, got, tt.shorted)
		}
	}
	f := FingerprintOf([]byte("x"))
	if lines := f.HexLines(); lines[0]+lines[1] != f.Hex() || len(lines[0]) != 48 || len(lines[1]) != 47 {
		t.Errorf("%q", lines)
	}
}
