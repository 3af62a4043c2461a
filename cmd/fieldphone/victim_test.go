package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// asServer, in the environment, turns this test binary into the program.
const asServer = "TEST_AS_FIELDPHONE"

// victim is a server in a process of its own.
type victim struct {
	process *exec.Cmd
	output  *lockedBuffer
	ended   chan struct{}
	url     string
}

func startVictim(t *testing.T, data string, settings ...string) *victim {
	t.Helper()
	v := &victim{output: newLockedBuffer(), ended: make(chan struct{})}
	v.process = exec.Command(os.Args[0], "serve", "--data", data)
	v.process.Env = append(os.Environ(), append([]string{
		asServer + "=1", "FIELDPHONE_LISTEN_ADDRESSES=127.0.0.1", "FIELDPHONE_LISTEN_HTTPS_PORT=0", "FIELDPHONE_LISTEN_HTTP_PORT=0",
		"FIELDPHONE_TURN_PORT=0", "FIELDPHONE_MDNS_NAME=", "FIELDPHONE_SESSION_BCRYPT_COST=4", "GOCOVERDIR=" + t.TempDir(),
	}, settings...)...)
	v.process.Stdout, v.process.Stderr = v.output, v.output
	if err := v.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(v.ended)
		_ = v.process.Wait()
	}()
	t.Cleanup(v.kill)
	if !v.output.waitFor("Press Ctrl-C to stop.", v.ended) {
		t.Fatalf("the server did not start:\n%s", v.output.String())
	}
	v.url = strings.TrimSuffix(regexp.MustCompile(`https://127\.0\.0\.1:\d+/`).FindString(v.output.String()), "/")
	return v
}

// kill is SIGKILL.
func (v *victim) kill() {
	_ = v.process.Process.Kill()
	<-v.ended
}
