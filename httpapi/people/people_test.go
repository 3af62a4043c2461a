package people

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"

	"github.com/google/go-cmp/cmp"
)

func TestCleanTags(t *testing.T) {
	for _, tt := range []struct{ in, want []string }{
		{nil, nil},
		{[]string{"Medics", "medics", " MEDICS "}, []string{"medics"}},
		{[]string{"night\u00a0 shift", "Night Shift"}, []string{"night shift"}},
		{[]string{"e\u0301te\u0301", "ÉTÉ"}, []string{"été"}},
		{[]string{"医疗", "طب", "a\u0301"}, []string{"医疗", "طب", "á"}},
		{[]string{strings.Repeat("x", 24)}, []string{strings.Repeat("x", 24)}},
	} {
		got, err := CleanTags(tt.in)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", tt.in, err, diff)
		}
	}
	for _, bad := range [][]string{
		{""},
		{" "},
		{"a\tb\x00"},
		{"\u202emedics"},
		{"med\u200bics"},
		{strings.Repeat("x", 25)},
		{strings.Repeat("x", 10_000)},
		{"\xff"},
		{"1", "2", "3", "4", "5", "6", "7", "8", "9"},
		{strings.Repeat("\u0301", 50)},
	} {
		if got, err := CleanTags(bad); account.CodeOf(err) != CodeInvalidTags {
			t.Errorf("%.40q: got %q, %v", bad, got, err)
		}
	}
}

func TestPicturesOfEveryKindAreSquares(t *testing.T) {
	red, clear := color.RGBA{200, 0, 0, 255}, color.RGBA{}
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA") // 1 by 1
	if err != nil {
		t.Fatal(err)
	}
	wide := image.NewPaletted(image.Rect(10, 10, 410, 60), []color.Color{red, clear})
	var asPNG, asGIF, asJPEG bytes.Buffer
	for _, err := range []error{png.Encode(&asPNG, wide), gif.Encode(&asGIF, wide, nil), jpeg.Encode(&asJPEG, wide, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range map[string][]byte{"png": asPNG.Bytes(), "gif": asGIF.Bytes(), "jpeg": asJPEG.Bytes(), "webp": webp} {
		made, err := makePicture(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, kind, err := image.Decode(bytes.NewReader(made))
		if err != nil || kind != "jpeg" || got.Bounds().Dx() != 256 || got.Bounds().Dy() != 256 {
			t.Errorf("%s: %v, %s", name, err, kind)
		}
	}
}

// fakeStore is a store in memory whose people a test changes by hand.
type fakeStore struct {
	Store
	mu     sync.Mutex
	people []Person
	rev    int64
}

func (f *fakeStore) put(p Person) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rev++
	p.Rev = f.rev
	f.people = append(f.people, p)
}

func (f *fakeStore) Since(_ context.Context, after int64) ([]Person, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []Person
	for _, p := range f.people {
		if p.Rev > after {
			found = append(found, p)
		}
	}
	return found, nil
}

func (f *fakeStore) Blocks(context.Context, ...string) (map[string][]string, error) { return nil, nil }

// Ensure a storm of changes reaches devices in few updates, with what holds at last.
func TestUpdatesAreGathered(t *testing.T) {
	store := &fakeStore{}
	updates := make(chan *rtc.ProfileUpdate, 1000)
	s, err := New(t.Context(), Config{Push: func(m *rtc.ProfileUpdate) { updates <- m }, Logger: slog.New(slog.DiscardHandler)}, store)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	began := time.Now()
	const people, rounds = 50, 20
	for n := range rounds {
		for i := range people {
			store.put(Person{ID: fmt.Sprintf("u%02d", i), Name: "N", Line: fmt.Sprint(n)})
		}
		if err := s.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	last := map[string]string{}
	for count := 1; ; count++ {
		select {
		case m := <-updates:
			for _, p := range m.People {
				last[p.ID] = p.Line
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not told in 10 s")
		}
		settled := len(last) == people
		for _, line := range last {
			settled = settled && line == fmt.Sprint(rounds-1)
		}
		if settled {
			if most := int(time.Since(began)/updateInterval) + 2; count > most {
				t.Errorf("%d updates in %v", count, time.Since(began))
			}
			return
		}
	}
}

// Ensure nobody needs to do anything for a guest's time to be over.
func TestGuestsEndByTheClock(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	store := &fakeStore{}
	store.put(Person{ID: "guest-a", Name: "A", GuestUntil: now.Add(time.Hour)})
	store.put(Person{ID: "guest-b", Name: "B", GuestUntil: now.Add(2 * time.Hour)})
	var told []rtc.Profile
	s, err := New(t.Context(), Config{Push: func(m *rtc.ProfileUpdate) { told = append(told, m.People...) }, Now: func() time.Time { return now }}, store)
	if err != nil {
		t.Fatal(err)
	}
	listed := func() string {
		list, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		return string(list.JSON)
	}
	if got := listed(); !strings.Contains(got, "guest-a") || !strings.Contains(got, "guest-b") {
		t.Errorf("got %s", got)
	}
	now = now.Add(time.Hour)
	if got := listed(); strings.Contains(got, "guest-a") || !strings.Contains(got, "guest-b") {
		t.Errorf("after an hour: %s", got)
	}
	s.flush()
	if diff := cmp.Diff([]rtc.Profile{{ID: "guest-a", Gone: true}}, told); diff != "" {
		t.Error(diff)
	}
}

func TestTagged(t *testing.T) {
	store := &fakeStore{}
	store.put(Person{ID: "maria", Name: "Maria", Tags: []string{"medics"}})
	store.put(Person{ID: "bert", Name: "Bert", Tags: []string{"kitchen", "medics"}})
	store.put(Person{ID: "cleo", Name: "Cleo", Tags: []string{"medics"}, Disabled: true})
	store.put(Person{ID: "dora", Tags: []string{"medics"}, GoneAt: time.Unix(1, 0)})
	s, err := New(t.Context(), Config{Push: func(*rtc.ProfileUpdate) {}}, store)
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string][]string{" MEDICS ": {"bert", "maria"}, "kitchen": {"bert"}, "medic": nil, "": nil} {
		if diff := cmp.Diff(want, s.Tagged(tag)); diff != "" {
			t.Errorf("%q: %s", tag, diff)
		}
	}
}

func TestTheNewsOfAStartIsNone(t *testing.T) {
	store := &fakeStore{}
	store.put(Person{ID: "maria", Name: "Maria"})
	s, err := New(t.Context(), Config{Push: func(*rtc.ProfileUpdate) { t.Error("told of somebody who was there") }}, store)
	if err != nil {
		t.Fatal(err)
	}
	s.flush()
	if _, err := New(t.Context(), Config{}, store); err == nil {
		t.Error("took a configuration without Push")
	}
	if s.MayExport("maria") != nil || s.MayExport("maria") == nil {
		t.Error("two exports in a minute")
	}
}

// BenchmarkList makes the answer for 5,000 people, as after each change.
func BenchmarkList(b *testing.B) {
	s := crowd(b, 5000)
	var list *List
	for b.Loop() {
		s.mu.Lock()
		s.list = nil
		s.mu.Unlock()
		list, _ = s.List()
	}
	b.ReportMetric(float64(len(list.JSON)), "bytes")
	b.ReportMetric(float64(len(list.Gzip)), "gzip-bytes")
}

// BenchmarkRefuses asks as the hub does at each call.
func BenchmarkRefuses(b *testing.B) {
	s := crowd(b, 5000)
	for b.Loop() {
		_ = s.Refuses("u0001", "u0002")
	}
}

func crowd(b *testing.B, n int) *Service {
	store := &fakeStore{}
	for i := range n {
		store.put(Person{
			ID: fmt.Sprintf("u%04d", i), Name: fmt.Sprintf("Person %04d", i), Line: fmt.Sprintf("medic, tent %d", i%70),
			Tags: []string{"medics", fmt.Sprintf("shift %d", i%3)}, Picture: fmt.Sprintf("%016x", i*7919),
		})
	}
	s, err := New(b.Context(), Config{Push: func(*rtc.ProfileUpdate) {}}, store)
	if err != nil {
		b.Fatal(err)
	}
	return s
}
