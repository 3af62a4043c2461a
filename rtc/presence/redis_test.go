package presence_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc/presence"
)

// A server that is missing, or that accepts and never answers, must be reported
// within seconds, with what to do and without the password.
func TestNewRedisOutOfReach(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, addr := range map[string]string{"silent": silent.Addr().String(), "closed": closed.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := presence.NewRedis(t.Context(), presence.Config{URL: "redis://:s3cr3t@" + addr + "/0"})
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range []string{addr, "out of reach", "redis.url"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to name %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the password is in %q", err)
			}
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("took %v, want a few seconds", took)
			}
		})
	}
}

func TestNewRedisBadURL(t *testing.T) {
	for _, address := range []string{
		"", "http://:s3cr3t@host", "redis://:s3cr3t@host:port", "redis://:%zzs3cr3t@host", "redis://:s3cr3t@host/notanumber",
		"redis://host?s3cr3t=1",
	} {
		_, err := presence.NewRedis(t.Context(), presence.Config{URL: address})
		if err == nil || !strings.Contains(err.Error(), "redis.url") || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: got %v, want a sentence about redis.url without the password", address, err)
		}
	}
}
