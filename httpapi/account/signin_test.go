package account_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
)

func TestUnknownIDCostsAsMuchAsAWrongPassword(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	addUser(t, s, "anna")
	addUser(t, s, "bert")
	must(t, s.SetDisabled(t.Context(), "bert", true))
	var first *account.Error
	for _, id := range []string{"anna", "nobody", "not an id", "", "bert"} {
		compares, hashes, _, _ := site.hasher.counts()
		_, err := s.SignIn(t.Context(), id, "wrong password", here)
		wantCode(t, id, err, account.CodeWrongCredentials)
		comparesAfter, hashesAfter, _, _ := site.hasher.counts()
		if comparesAfter != compares+1 || hashesAfter != hashes {
			t.Errorf("%q: %d compares and %d hashes, want 1 and 0", id, comparesAfter-compares, hashesAfter-hashes)
		}
		e, _ := errors.AsType[*account.Error](err)
		if first == nil {
			first = e
		}
		if e.Error() != first.Error() || e.Field != first.Field {
			t.Errorf("%q: got %+v, want %+v", id, e, first)
		}
	}
	_, err := s.SignIn(t.Context(), "bert", password, here)
	wantCode(t, "disabled", err, account.CodeUserDisabled)
	must(t, s.SetDisabled(t.Context(), "bert", false))
	signIn(t, s, "bert")
	wantCode(t, "disable nobody", s.SetDisabled(t.Context(), "nobody", true), account.CodeNotFound)
	wantCode(t, "disable no id", s.SetDisabled(t.Context(), "not an id", true), account.CodeNotFound)
}

func TestRateLimitOfAnAddress(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	mapped := netip.MustParseAddr("::ffff:192.0.2.10")
	for i := range 30 {
		_, err := s.SignIn(t.Context(), fmt.Sprint("user", i), "wrong password", here)
		wantCode(t, fmt.Sprint(i), err, account.CodeWrongCredentials)
	}
	compares, hashes, _, _ := site.hasher.counts()
	for _, from := range []netip.Addr{here, mapped} {
		_, err := s.SignIn(t.Context(), "another", password, from)
		wantCode(t, "sign in", err, account.CodeRateLimited)
		if e, ok := errors.AsType[*account.Error](err); ok && e.RetryAfter != 2*time.Second {
			t.Errorf("RetryAfter is %v, want 2s", e.RetryAfter)
		}
	}
	if c, h, _, _ := site.hasher.counts(); c != compares || h != hashes {
		t.Error("a refused attempt was hashed")
	}
	if _, err := s.Register(t.Context(), account.Newcomer{ID: "anna", Name: "Anna", Password: password}, here); err != nil {
		t.Errorf("registering is limited for itself: %v", err)
	}
	if _, err := s.SignIn(t.Context(), "anna", password, netip.MustParseAddr("192.0.2.11")); err != nil {
		t.Errorf("from another address: %v", err)
	}
	site.clock.advance(2 * time.Second)
	if _, err := s.SignIn(t.Context(), "anna", password, here); err != nil {
		t.Errorf("after RetryAfter: %v", err)
	}
	_, err := s.SignIn(t.Context(), "anna", password, here)
	wantCode(t, "two at once after RetryAfter", err, account.CodeRateLimited)
	site.clock.advance(time.Hour)
	for range 30 {
		signIn(t, s, "anna")
	}
	_, err = s.SignIn(t.Context(), "anna", password, here)
	wantCode(t, "more than the burst after an hour", err, account.CodeRateLimited)
}

func TestRateLimitOfAnID(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	addUser(t, s, "anna")
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	for i := range 100 {
		if _, err := s.SignIn(t.Context(), "anna", password, from(i)); err != nil {
			t.Fatalf("successful sign-in %d counts: %v", i, err)
		}
	}
	for i := range 10 {
		_, err := s.SignIn(t.Context(), []string{"anna", "ANNA"}[i%2], "wrong password", from(i))
		wantCode(t, fmt.Sprint(i), err, account.CodeWrongCredentials)
	}
	_, err := s.SignIn(t.Context(), "anna", password, from(200))
	wantCode(t, "eleventh", err, account.CodeRateLimited)
	_, err = s.ChangePassword(t.Context(), "anna", password, "new password")
	wantCode(t, "change password", err, account.CodeRateLimited)
	site.clock.advance(6 * time.Second)
	_, err = s.SignIn(t.Context(), "anna", password, from(200))
	must(t, err)
}

func TestRateLimitOfRegistrations(t *testing.T) {
	site := newSite(t)
	s := site.service(t, func(c *account.Config) { c.RegisterRate = account.Rate{Burst: 2, PerMinute: 30} })
	for _, id := range []string{"anna", "bert"} {
		_, err := s.Register(t.Context(), account.Newcomer{ID: id, Name: id, Password: password}, here)
		must(t, err)
	}
	_, hashes, _, _ := site.hasher.counts()
	_, err := s.Register(t.Context(), account.Newcomer{ID: "cleo", Name: "Cleo", Password: password}, netip.MustParseAddr("::ffff:"+here.String()))
	wantCode(t, "third", err, account.CodeRateLimited)
	if _, h, _, _ := site.hasher.counts(); h != hashes {
		t.Error("a refused registration was hashed")
	}
	signIn(t, s, "anna") // signing in is limited for itself
	_, err = s.Register(t.Context(), account.Newcomer{ID: "cleo", Name: "Cleo", Password: password}, netip.MustParseAddr("192.0.2.11"))
	must(t, err)
	site.clock.advance(2 * time.Second)
	_, err = s.Register(t.Context(), account.Newcomer{ID: "dora", Name: "Dora", Password: password}, here)
	must(t, err)
}

func TestRateLimitMemoryIsBounded(t *testing.T) {
	site := newSite(t)
	s := site.service(t, func(c *account.Config) {
		c.RateKeys = 2
		c.AddressRate = account.Rate{Burst: 1, PerMinute: 1}
	})
	try := func(last byte) string {
		_, err := s.SignIn(t.Context(), "nobody", password, netip.AddrFrom4([4]byte{10, 0, 0, last}))
		return account.CodeOf(err)
	}
	for i, want := range []struct {
		from byte
		code string
	}{
		{1, account.CodeWrongCredentials},
		{2, account.CodeWrongCredentials},
		{1, account.CodeRateLimited},
		{3, account.CodeWrongCredentials}, // 2 was used longest ago and is forgotten
		{1, account.CodeRateLimited},
		{2, account.CodeWrongCredentials},
	} {
		if got := try(want.from); got != want.code {
			t.Errorf("try %d: got %s, want %s", i, got, want.code)
		}
	}
}

func TestHashingIsBounded(t *testing.T) {
	site := newSite(t)
	s := site.service(t, func(c *account.Config) { c.HashConcurrency, c.HashQueue = 2, 3 })
	addUser(t, s, "anna")
	open := site.hasher.close()
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }

	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	load := func(running, waiting int) func() bool {
		return func() bool {
			r, w := s.HashLoad()
			return r == running && w == waiting
		}
	}
	// Two run and two wait; one more waits and gives up.
	results := make(chan error, 4)
	for i := range 4 {
		go func() {
			_, err := s.SignIn(t.Context(), "anna", password, from(i))
			results <- err
		}()
	}
	within(t, 10*time.Second, "two run and two wait", load(2, 2))
	gaveUp := make(chan error, 1)
	go func() {
		_, err := s.SignIn(ctx, "anna", password, from(4))
		gaveUp <- err
	}()
	within(t, 10*time.Second, "the queue is full", load(2, 3))
	_, err := s.SignIn(t.Context(), "anna", password, from(5))
	wantCode(t, "one too many", err, account.CodeBusy)
	if e, ok := errors.AsType[*account.Error](err); !ok || e.RetryAfter <= 0 {
		t.Errorf("got %+v, want a RetryAfter", e)
	}
	_, err = s.Register(t.Context(), account.Newcomer{ID: "bert", Name: "Bert", Password: password}, from(5))
	wantCode(t, "one too many to register", err, account.CodeBusy)
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: got %v", err)
	}
	within(t, 10*time.Second, "the place is free again", load(2, 2))
	open()
	for range 4 {
		if err := <-results; err != nil {
			t.Errorf("who waited: %v", err)
		}
	}
	if _, _, _, most := site.hasher.counts(); most != 2 {
		t.Errorf("%d ran at once, want 2", most)
	}
	signIn(t, s, "anna")
}

// TestOvertakenSignIn: the password was right and the user enabled
// when the slow part began, but not when it ended.
func TestOvertakenSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(t *testing.T, other *account.Service)
		code      string
	}{
		"disabled": {func(t *testing.T, other *account.Service) {
			must(t, other.SetDisabled(t.Context(), "anna", true))
		}, account.CodeUserDisabled},
		"password set": {func(t *testing.T, other *account.Service) {
			must(t, other.SetPassword(t.Context(), "anna", "another password"))
		}, account.CodeWrongCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSite(t)
			s := site.service(t)
			other := site.service(t, func(c *account.Config) { c.Hasher = &hasher{} })
			addUser(t, s, "anna")
			open := site.hasher.close()
			done := make(chan error, 1)
			go func() {
				_, err := s.SignIn(t.Context(), "anna", password, here)
				done <- err
			}()
			within(t, 10*time.Second, "the password is being compared", func() bool {
				_, _, running, _ := site.hasher.counts()
				return running == 1
			})
			test.meanwhile(t, other)
			open()
			wantCode(t, "sign in", <-done, test.code)
		})
	}
}

func TestConcurrentRegistration(t *testing.T) {
	site := newSite(t)
	services := []*account.Service{site.service(t), site.service(t)}
	codes := make([]string, 16)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			_, err := services[i%2].Register(t.Context(), account.Newcomer{ID: "wanted", Name: fmt.Sprint(i), Password: password}, here)
			codes[i] = account.CodeOf(err)
			if err != nil && codes[i] != account.CodeIDTaken {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	won := 0
	for _, code := range codes {
		if code == "" {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d won, want 1", won)
	}
}
