package rtc

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// Ensure the short way reads every golden message, and as encoding/json does.
func TestSplitReadsWhatJSONReads(t *testing.T) {
	for _, g := range readGoldens(t) {
		var want Envelope
		if err := json.Unmarshal([]byte(g.Envelope), &want); err != nil {
			t.Fatal(err)
		}
		if want.Seq != 0 {
			continue // of the server's own
		}
		got, ok := split([]byte(g.Envelope))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v %s", g.Envelope, ok, diff)
		}
	}
}

// Ensure what is unusual goes the long way, whatever it then is.
func TestSplitLeavesTheUnusual(t *testing.T) {
	for _, frame := range []string{
		``, `{`, `{}`, `[]`, `{"type":"bye"`, `{"type":"bye"}x`, `{"type":"bye"}{`, `{"type":7}`, `{"type":null}`, `{"Type":"bye"}`,
		`{"t\u0079pe":"bye"}`, `{"type":"b\u0079e"}`, `{"type":"bye","id":"é"}`, `{"type":"bye","seq":1}`, `{"type":"bye","other":{}}`,
		`{"type":"bye","data":null}`, `{"type":"bye","data":{`, `{"type":"bye","data":{"a":"}`, `{"type":"bye","data":{"a":"\"}`, `{"type":"bye",}`,
	} {
		if env, ok := split([]byte(frame)); ok {
			t.Errorf("%s: read as %+v", frame, env)
		}
	}
}

// Ensure the short way reads a signal as encoding/json does, and that it reads all
// that this program and browsers write.
func TestSignalsAreReadShort(t *testing.T) {
	for _, data := range []string{
		`{"call":"c-12345678","gen":2,"payload":{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.1 9 typ host","sdpMid":null}}}`,
		`{ "gen" : 0 , "payload" : {"a":"\u00e9\"}","b":[{}]} , "call" : "x" }`, `{"payload":{}}`, `{"gen":10,"payload":{}}`,
	} {
		var got, want CallSignal
		if err := json.Unmarshal([]byte(data), &want); err != nil {
			t.Fatal(err)
		}
		if !got.readShort([]byte(data)) || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %s", data, cmp.Diff(want, got))
		}
	}
	for _, data := range []string{
		``, `{`, `{}`, `}`, `{"payload":{}`, `{"payload":{},}`, `{"payload":{}}}`, `{"payload":{}}x`, `{"payload":{},"payload":{}}`, `{"payload":{"a"}}`,
		`{"payload":{"a":01}}`, `{"payload":[]}`, `{"payload":null}`, `{"gen":01,"payload":{}}`, `{"gen":-1,"payload":{}}`, `{"gen":1.5,"payload":{}}`,
		`{"gen":1e2,"payload":{}}`, `{"gen":9999999999,"payload":{}}`, `{"gen":"1","payload":{}}`, `{"Call":"x","payload":{}}`, `{"other":1,"payload":{}}`,
		`{"call":"c-12345678","gen":2}`, `{"payload":{"a":"` + "\n" + `"}}`,
	} {
		if got := (CallSignal{Call: "as it was"}); got.readShort([]byte(data)) || got.Call != "as it was" {
			t.Errorf("%s: read as %+v", data, got)
		}
	}
}

func FuzzSignal(f *testing.F) {
	f.Add([]byte(`{"call":"c-12345678","gen":2,"payload":{"candidate":{"candidate":"candidate:1","sdpMid":null},"a":[1.5e3,true,"\\u00e9"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want CallSignal
		if utf8.Valid(data) && got.readShort(data) {
			if err := json.Unmarshal(data, &want); err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%q: %v %s", data, err, cmp.Diff(want, got))
			}
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add([]byte(g.Envelope))
	}
	f.Add([]byte(`{"type":"bye","data":{"a":"\\\"}"}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		got, ok := split(frame)
		var want Envelope
		err := json.Unmarshal(frame, &want)
		if ok && err == nil {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", frame, diff)
			}
		}
	})
}

// Ensure a payload that a browser would take for two lines is not passed on so.
func TestDataOfASignalIsOneLine(t *testing.T) {
	for payload, want := range map[string]string{
		`{"a": 1}`:          `{"call":"c-12345678","gen":2,"payload":{"a": 1}}`,
		"{\"a\":\n\r\n 1}":  `{"call":"c-12345678","gen":2,"payload":{"a":1}}`,
		`{"a":"\n<\u0000"}`: `{"call":"c-12345678","gen":2,"payload":{"a":"\n<\u0000"}}`,
	} {
		data, err := Data(&CallSignal{Call: "c-12345678", Gen: 2, Payload: []byte(payload)})
		if err != nil || string(data) != want {
			t.Errorf("got %s %v, want %s", data, err, want)
		}
	}
	if _, err := Data(&CallSignal{Call: "c-12345678", Gen: 2, Payload: []byte(`{`)}); err == nil {
		t.Error("what is not JSON was encoded")
	}
}

func TestDecodeRefusesWhatIsNotText(t *testing.T) {
	if _, _, err := Decode([]byte("{\"type\":\"call.signal\",\"data\":{\"call\":\"c-12345678\",\"gen\":1,\"payload\":{\"a\":\"\xff\"}}}")); err == nil {
		t.Error("bytes that no WebSocket may carry were taken")
	}
}

const signalFrame = `{"type":"call.signal","data":{"call":"c-9fK2mQ01","gen":1,"payload":{"candidate":{"candidate":` +
	`"candidate:842163049 1 udp 1677729535 192.168.1.10 46154 typ host generation 0","sdpMid":"0","sdpMLineIndex":0}}}}`

func BenchmarkDecode(b *testing.B) {
	frame := []byte(signalFrame)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeSignal(b *testing.B) {
	_, msg, err := Decode([]byte(signalFrame))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Data(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	data := []byte(signalFrame)
	b.ReportAllocs()
	for b.Loop() {
		Frame("announcement", 17, data)
	}
}
