package onboard

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWiFiCode(t *testing.T) {
	for _, tt := range []struct {
		wifi WiFi
		want string
	}{
		{WiFi{"Camp", "correct horse"}, "WIFI:T:WPA;S:Camp;P:correct horse;;"},
		{WiFi{"Camp", ""}, "WIFI:T:nopass;S:Camp;;"},
		{WiFi{`a;b,c:d"e\f`, `;;;;\\\\""`}, `WIFI:T:WPA;S:a\;b\,c\:d\"e\\f;P:\;\;\;\;\\\\\\\\\"\";;`},
		{WiFi{"救援", "12345678"}, "WIFI:T:WPA;S:救援;P:12345678;;"},
	} {
		if err := tt.wifi.Check(); err != nil {
			t.Errorf("%+v: %v", tt.wifi, err)
		}
		if got := tt.wifi.Code(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	for name, wifi := range map[string]WiFi{
		"no name": {"", "12345678"}, "long name": {strings.Repeat("救", 11), ""}, "line break": {"a\nb", ""},
		"short": {"Camp", "1234567"}, "long": {"Camp", strings.Repeat("x", 64)}, "not ASCII": {"Camp", "pässword1"},
	} {
		if wifi.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := (WiFi{"Camp", strings.Repeat("0aF9", 16)}).Check(); err != nil {
		t.Errorf("a key of 64 hex digits: %v", err)
	}
}

// texts parses an SVG and returns what it says.
func texts(t *testing.T, svg []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	var out strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if chars, ok := token.(xml.CharData); ok {
			out.Write(chars)
		}
	}
}

func TestPoster(t *testing.T) {
	for name, tt := range map[string]struct {
		poster Poster
		has    []string
		codes  int
	}{
		"plain":     {Poster{URL: "http://10.77.1.1:8080/?ca=1234512345", CA: testCA()}, []string{"http://10.77.1.1:8080/ ", testCA().Fingerprint.Digits(), testCA().Fingerprint.HexLines()[0], "Scan the code", "扫描二维码"}, 1},
		"Wi-Fi":     {Poster{URL: "http://10.77.1.1:8080/", CA: testCA(), WiFi: &WiFi{`<Camp & "Co">`, "pass<word>"}, Paper: Letter()}, []string{`Wi-Fi: <Camp & "Co">`, "pass<word>", "left code", "左边"}, 2},
		"no CA":     {Poster{URL: "http://10.77.1.1/"}, []string{"create an account"}, 1},
		"long IPv6": {Poster{URL: "http://[fd12:3456:789a:bcde:f012:3456:789a:bcde]:8080/"}, []string{"fd12:3456"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := tt.poster.Write(&out); err != nil {
				t.Fatal(err)
			}
			said := strings.Join(strings.Fields(texts(t, out.Bytes())), " ")
			for _, want := range tt.has {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if got := strings.Count(out.String(), "crispEdges"); got != tt.codes {
				t.Errorf("%d codes, want %d", got, tt.codes)
			}
		})
	}
	if err := (Poster{URL: "http://10.0.0.1/", WiFi: &WiFi{"Camp", "short"}}).Write(io.Discard); err == nil {
		t.Error("a password that cannot be is printed")
	}
}

func TestWrapKeepsEverything(t *testing.T) {
	for _, p := range []Poster{{CA: testCA()}, {WiFi: &WiFi{SSID: "x"}}} {
		for _, step := range posterSteps(p) {
			for _, s := range []string{step.en, step.zh} {
				lines := wrap(s, 70, 4.6)
				if got := strings.ReplaceAll(strings.Join(lines, ""), " ", ""); got != strings.ReplaceAll(s, " ", "") {
					t.Errorf("got %q, want %q", got, s)
				}
				for _, line := range lines {
					if measure(line, 4.6) > 70+4.6 || strings.HasPrefix(line, "。") || strings.HasPrefix(line, "，") {
						t.Errorf("line %q of %v", line, lines)
					}
				}
			}
		}
	}
}

// What is below must not be printed over.
func TestPosterHasRoomForItsSteps(t *testing.T) {
	for _, paper := range []Paper{A4(), Letter()} {
		for _, p := range []Poster{{CA: testCA()}, {CA: testCA(), WiFi: &WiFi{SSID: "x"}}} {
			p.Paper = paper
			if below := p.steps(&drawing{}, 16, stepsTop); below > p.Height-bottomMargin-compareHeight {
				t.Errorf("on %g x %g mm the steps end at %g", p.Width, p.Height, below)
			}
		}
	}
}
