package lanca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunRenews(t *testing.T) {
	const day = 24 * time.Hour
	issued := start().Add(60 * day) // later than the CA: the two begin at different times
	for name, tt := range map[string]struct {
		clock time.Time
		want  bool
	}{
		"31 days before the end":   {issued.Add(-2*day + 397*day - 31*day), false},
		"20 days before the end":   {issued.Add(-2*day + 397*day - 20*day), true},
		"two years later":          {start().AddDate(2, 0, 0), true},
		"before the CA was made":   {start().AddDate(-1, 0, 0), false},
		"10 days before the CA's":  {start().AddDate(10, 0, -10), true},
		"after the CA's own end":   {start().AddDate(11, 0, 0), false},
		"the board starts in 1970": {time.Unix(0, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				wall := newClock()
				var log bytes.Buffer
				a := open(t, Config{Dir: dir, Now: wall.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				wall.set(issued)
				setNames(t, a, "phone.lan")
				first := leafOf(t, a)
				ctx, cancel := context.WithCancel(t.Context())
				go a.Run(ctx)
				synctest.Wait()
				if !leafOf(t, a).Equal(first) {
					t.Fatal("a fresh leaf was issued again")
				}
				wall.set(tt.clock)
				time.Sleep(2 * checkEvery) // the bubble's time
				second := leafOf(t, a)
				if got := !second.Equal(first); got != tt.want {
					t.Errorf("issued again: %v, want %v", got, tt.want)
				}
				if tt.want {
					if err := verify(a, second, "phone.lan", tt.clock); err != nil {
						t.Error(err)
					}
					if !first.PublicKey.(*ecdsa.PublicKey).Equal(second.PublicKey) {
						t.Error("the key was not kept")
					}
					time.Sleep(2 * checkEvery)
					if !leafOf(t, a).Equal(second) {
						t.Error("issued again without need")
					}
				}
				cancel()
				synctest.Wait()
				if strings.Contains(log.String(), "level=ERROR") {
					t.Errorf("tried in vain:\n%s", log.String())
				}
			})
		})
	}
}

// The leaf was issued while the clock was ahead; set right, it would not be valid yet.
func TestRunRenewsWhenTheClockIsSetBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		wall := newClock()
		a := open(t, Config{Dir: dir, Now: wall.Now})
		wall.set(start().AddDate(1, 0, 0))
		setNames(t, a, "phone.lan")
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		synctest.Wait()
		if err := verify(a, leafOf(t, a), "phone.lan", start()); err == nil {
			t.Fatal("the leaf is valid already: the test shows nothing")
		}
		wall.set(start())
		time.Sleep(2 * checkEvery)
		if err := verify(a, leafOf(t, a), "phone.lan", start()); err != nil {
			t.Error(err)
		}
		cancel()
		synctest.Wait()
	})
}

func TestBoardWithoutBatteryMakesAUsableCA(t *testing.T) {
	a := open(t, Config{Now: func() time.Time { return time.Unix(0, 0) }})
	if err := verify(a, leafOf(t, a), "localhost", start()); err != nil {
		t.Errorf("a phone with the right time refuses it: %v", err)
	}
}

func TestCANearItsEndIssuesShorterLeaves(t *testing.T) {
	wall := newClock()
	a := open(t, Config{Now: wall.Now})
	wall.set(start().AddDate(10, 0, -100))
	setNames(t, a, "phone.lan")
	if got, want := leafOf(t, a).NotAfter, a.ca.Load().cert.NotAfter; !got.Equal(want) {
		t.Errorf("the leaf ends %v, want the CA's end %v", got, want)
	}
	wall.set(start().AddDate(10, 0, 1))
	if _, err := a.SetNames(nil, []string{"tablet.lan"}); err == nil || !strings.Contains(err.Error(), "the CA ended on 2036-07-01") {
		t.Errorf("error is %v", err)
	}
}
