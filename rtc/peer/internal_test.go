package peer

import (
	"slices"
	"testing"

	"github.com/pion/webrtc/v4"
)

func TestSequence(t *testing.T) {
	for name, c := range map[string]struct {
		numbers []uint16
		lost    uint64
	}{
		"nothing":           {nil, 0},
		"one":               {[]uint16{7}, 0},
		"in order":          {[]uint16{7, 8, 9}, 0},
		"a gap":             {[]uint16{7, 8, 12}, 3},
		"late":              {[]uint16{7, 9, 8, 10}, 0},
		"late at the start": {[]uint16{9, 8, 7, 10}, 0},
		"twice":             {[]uint16{7, 7, 8}, 0},
		"over the top":      {[]uint16{65534, 65535, 0, 1}, 0},
		"lost at the top":   {[]uint16{65534, 1, 2}, 2},
		"back and forth":    {[]uint16{65535, 1, 0, 65534}, 0},
	} {
		var s sequence
		for _, n := range c.numbers {
			s.add(n)
		}
		if got := s.lost(); got != c.lost {
			t.Errorf("%s: got %d lost, want %d", name, got, c.lost)
		}
	}
	var s sequence
	for i := range 5 * 65536 {
		if i%100 != 99 {
			s.add(uint16(i))
		}
	}
	if got, want := s.lost(), uint64(5*65536/100); got != want {
		t.Errorf("five rounds: got %d lost, want %d", got, want)
	}
}

// The picture must be what a decoder and a depayloader expect.
func TestVideoFrame(t *testing.T) {
	gen := videoGenerator()
	frame := gen.frame(nil)
	if len(frame) != videoFrame {
		t.Fatalf("got %d bytes, want %d", len(frame), videoFrame)
	}
	if got, want := frame[3:10], []byte{0x9d, 0x01, 0x2a, 64, 0, 48, 0}; !slices.Equal(got, want) {
		t.Errorf("got start code and size % x, want % x", got, want)
	}
	tag := int(frame[0]) | int(frame[1])<<8 | int(frame[2])<<16
	if keyFrame, shown, first := tag&1 == 0, tag>>4&1 == 1, tag>>5; !keyFrame || !shown || first >= videoFrame-10 {
		t.Errorf("got tag %x: key %v, shown %v, first partition of %d bytes", tag, keyFrame, shown, first)
	}
	if slices.Equal(frame, gen.frame(nil)) {
		t.Error("two frames are the same")
	}
	if gen.codec.MimeType != webrtc.MimeTypeVP8 {
		t.Errorf("got %s", gen.codec.MimeType)
	}
}
