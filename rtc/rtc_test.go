package rtc

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type golden struct {
	From     string          `json:"from"`
	Envelope json.RawMessage `json:"envelope"`
}

func readGoldens(t testing.TB) map[Type]golden {
	t.Helper()
	files, err := filepath.Glob("testdata/messages/*.json")
	if err != nil {
		t.Fatal(err)
	}
	goldens := make(map[Type]golden)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var g golden
		if err := json.Unmarshal(raw, &g); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		goldens[Type(strings.TrimSuffix(filepath.Base(file), ".json"))] = g
	}
	return goldens
}

// Ensure each golden message survives decode and encode with no field lost and
// none unknown.
func TestGoldenMessages(t *testing.T) {
	goldens := readGoldens(t)
	for name, g := range goldens {
		t.Run(string(name), func(t *testing.T) {
			env, msg, err := Decode(g.Envelope)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if env.Type != name || msg.Type() != name {
				t.Fatalf("type %q, message type %q, file %q", env.Type, msg.Type(), name)
			}
			if len(env.Data) > 0 {
				dec := json.NewDecoder(bytes.NewReader(env.Data))
				dec.DisallowUnknownFields()
				if err := dec.Decode(msg); err != nil {
					t.Fatalf("a field of the example is unknown: %v", err)
				}
			}
			frame, err := Encode(msg, env.Seq, env.Re)
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := errors.Join(json.Unmarshal(frame, &got), json.Unmarshal(g.Envelope, &want)); err != nil {
				t.Fatal(err)
			}
			delete(want, "id") // chosen by clients; Encode makes the server's frames
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("encoded again (-golden +got):\n%s", diff)
			}
		})
	}
	for _, msg := range all() {
		if _, ok := goldens[msg.Type()]; !ok {
			t.Errorf("testdata/messages has no %s.json", msg.Type())
		}
	}
}

// Ensure the protocol page has a section for each message.
func TestProtocolPageNamesEveryMessage(t *testing.T) {
	page, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	var headings strings.Builder
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "### ") {
			headings.WriteString(line)
		}
	}
	for _, msg := range all() {
		if !strings.Contains(headings.String(), " "+string(msg.Type())+" (") {
			t.Errorf("PROTOCOL.md has no section %q", msg.Type())
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", MaxTextBody+1)
	report := func(was, is string) string {
		good := `{"type":"call.report","data":{"call":"c-12345678","gen":1,"path":{"local":"host","remote":"host","protocol":"udp"},"rtt_ms":1,"loss":0,"up_kbps":1,"down_kbps":1}}`
		if _, _, err := Decode([]byte(good)); err != nil {
			t.Fatal(err)
		}
		return strings.Replace(good, was, is, 1)
	}
	result := func(legs string) string { return `{"type":"path.result","data":{"test":"","legs":[` + legs + `]}}` }
	for _, tt := range []struct {
		name, frame string
		want        Code
	}{
		{"NotJSON", `hello`, CodeBadJSON},
		{"Array", `[1]`, CodeBadJSON},
		{"TypeNotAString", `{"type":7}`, CodeBadJSON},
		{"Empty", ``, CodeBadJSON},
		{"UnknownType", `{"type":"call.bribe"}`, CodeUnknownType},
		{"NoType", `{}`, CodeUnknownType},
		{"LongID", `{"type":"bye","id":"` + strings.Repeat("x", 65) + `"}`, CodeBadData},
		{"DataNotAnObject", `{"type":"call.invite","data":"x"}`, CodeBadData},
		{"WrongKind", `{"type":"call.invite","data":{"call":7}}`, CodeBadData},
		{"NoCall", `{"type":"call.invite","data":{"to":"bob","media":"video"}}`, CodeBadData},
		{"NoData", `{"type":"call.hangup"}`, CodeBadData},
		{"ShortCall", `{"type":"call.cancel","data":{"call":"c"}}`, CodeBadData},
		{"CallWithMarkup", `{"type":"call.cancel","data":{"call":"<script>alert"}}`, CodeBadData},
		{"BadMedia", `{"type":"call.invite","data":{"call":"c-12345678","to":"bob","media":"smell"}}`, CodeBadData},
		{"EmptyText", `{"type":"text.send","data":{"message":"m-12345678","chat":"bob","body":"  "}}`, CodeBadData},
		{"LongText", `{"type":"text.send","data":{"message":"m-12345678","chat":"bob","body":"` + long + `"}}`, CodeBadData},
		{"SignalWithoutPayload", `{"type":"call.signal","data":{"call":"c-12345678","gen":1}}`, CodeBadData},
		{"SignalPayloadNotAnObject", `{"type":"call.signal","data":{"call":"c-12345678","gen":1,"payload":[]}}`, CodeBadData},
		{"GenZero", `{"type":"call.signal","data":{"call":"c-12345678","gen":0,"payload":{}}}`, CodeBadData},
		{"HangupReason", `{"type":"call.hangup","data":{"call":"c-12345678","reason":"busy"}}`, CodeBadData},
		{"ManyCalls", `{"type":"hello","data":{"device":"d-12345678","calls":[{},{},{},{},{}]}}`, CodeBadData},
		{"BadRunningCall", `{"type":"hello","data":{"device":"d-12345678","calls":[{"call":"c-12345678","peer":"bob","role":"boss","gen":1,"media":"video"}]}}`, CodeBadData},
		{"ReportOfAnUnknownCandidate", report(`"local":"host"`, `"local":"smoke"`), CodeBadData},
		{"ReportOfAnUnknownProtocol", report(`"protocol":"udp"`, `"protocol":"sctp"`), CodeBadData},
		{"ReportOfARelayThatIsNoAddress", report(`"remote":`, `"relay":"<b>","remote":`), CodeBadData},
		{"ReportOfARelayWithAZone", report(`"remote":`, `"relay":"[fe80::1%eth0]:1","remote":`), CodeBadData},
		{"ReportOfNegativeLoss", report(`"loss":0`, `"loss":-0.1`), CodeBadData},
		{"ReportOfMuchLoss", report(`"loss":0`, `"loss":1.1`), CodeBadData},
		{"ReportOfALongSetup", report(`"loss":0`, `"loss":0,"setup_ms":600001`), CodeBadData},
		{"ReportOfAFastLink", report(`"up_kbps":1`, `"up_kbps":1e9`), CodeBadData},
		{"PathSignalWithoutTest", `{"type":"path.signal","data":{"payload":{}}}`, CodeBadData},
		{"PathSignalWithoutPayload", `{"type":"path.signal","data":{"test":"p-12345678"}}`, CodeBadData},
		{"ResultWithoutLegs", result(``), CodeBadData},
		{"ResultOfManyLegs", result(strings.Repeat(`{"leg":"stun","state":"ok"},`, MaxLegs) + `{"leg":"stun","state":"ok"}`), CodeBadData},
		{"ResultOfABadTest", strings.Replace(result(`{"leg":"stun","state":"ok"}`), `"test":""`, `"test":"x"`, 1), CodeBadData},
		{"LegUnknown", result(`{"leg":"tail","state":"ok"}`), CodeBadData},
		{"LegStateUnknown", result(`{"leg":"stun","state":"so-so"}`), CodeBadData},
		{"LegCodeUnknown", result(`{"leg":"stun","state":"failed","code":"bribed"}`), CodeBadData},
		{"LegTargetWithMarkup", result(`{"leg":"stun","state":"ok","target":"<img>"}`), CodeBadData},
		{"LegTargetWithNewline", result(`{"leg":"stun","state":"ok","target":"a\nb"}`), CodeBadData},
		{"LegLongTarget", result(`{"leg":"stun","state":"ok","target":"` + long[:MaxTarget+1] + `"}`), CodeBadData},
		{"LegOfNegativeTime", result(`{"leg":"stun","state":"ok","ms":-1}`), CodeBadData},
		{"LegDataName", result(`{"leg":"stun","state":"ok","data":{"A B":1}}`), CodeBadData},
		{"LegBlockedPort", result(`{"leg":"ports","state":"failed","blocked":[65536]}`), CodeBadData},
		{"LegManyBlockedPorts", result(`{"leg":"ports","state":"failed","blocked":[1` + strings.Repeat(`,1`, MaxBlocked) + `]}`), CodeBadData},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Decode([]byte(tt.frame))
			var refusal *Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if refusal.Code != tt.want {
				t.Errorf("code %q, want %q (%s)", refusal.Code, tt.want, refusal.Message)
			}
			if refusal.Message == "" {
				t.Error("no sentence")
			}
		})
	}
}

// Ensure a refused request can be answered: its id is known whenever the
// envelope itself could be read.
func TestDecodeKeepsTheIDOfARefusedRequest(t *testing.T) {
	env, _, err := Decode([]byte(`{"type":"call.invite","id":"42","data":{}}`))
	if err == nil || env.ID != "42" {
		t.Errorf("id %q, err %v", env.ID, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add([]byte(g.Envelope))
	}
	f.Add([]byte(`{"type":"call.signal","data":{"call":"c-12345678","gen":1e400,"payload":{}}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		env, msg, err := Decode(frame)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Code == "" || refusal.Message == "" {
				t.Fatalf("error %#v cannot be sent", err)
			}
			return
		}
		again, err := EncodeRequest(msg, env.ID)
		if err != nil {
			t.Fatalf("a decoded message cannot be encoded: %v", err)
		}
		if _, _, err := Decode(again); err != nil {
			t.Fatalf("decode, encode, decode: %v\n%s", err, again)
		}
	})
}
