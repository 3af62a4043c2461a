package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"fieldphone/cmd/fieldphone/bench"
)

// benchSite is a data folder whose people have signed in.
type benchSite struct {
	binary string
	data   string
	people []bench.HubPerson
	client *http.Client
	gogc   string // of the server's environment
	// changes counts those that changeLine made.
	changes int
}

// newBenchSite makes a site with guests: they need no password, whose hashing
// would hide everything else.
func newBenchSite(ctx context.Context, binary, gogc string, people int, progress io.Writer) (s *benchSite, err error) {
	s = &benchSite{binary: binary, gogc: gogc, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		// Of a server that this very process starts on loopback.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 8,
	}}}
	if s.data, err = os.MkdirTemp("", "fieldphone-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(s.data)
		}
	}()
	server, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	fmt.Fprintf(progress, "\r%d people join ...%20s", people, "")
	s.people, err = s.join(ctx, server.Address, people)
	fmt.Fprintf(progress, "\r%-40s\r", "")
	s.client.CloseIdleConnections()
	return s, err
}

// join makes guests, several at a time.
func (s *benchSite) join(ctx context.Context, address string, n int) ([]bench.HubPerson, error) {
	people := make([]bench.HubPerson, n)
	work := make(chan int)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for worker := range errs {
		wg.Go(func() {
			for i := range work {
				var grant struct {
					Token string
					User  struct{ ID string }
				}
				if errs[worker] == nil {
					errs[worker] = s.post(ctx, address, "/guest", map[string]string{"name": bench.PersonName(i)}, &grant)
				}
				people[i] = bench.HubPerson{ID: grant.User.ID, Token: grant.Token}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	return people, errors.Join(errs...)
}

func (s *benchSite) post(ctx context.Context, address, path string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	return doBench(s.client, req, answer)
}

func doBench(client *http.Client, req *http.Request, answer any) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// environ is this process's without settings of its own, and with room for all.
func (s *benchSite) environ() []string {
	return []string{
		"HOME=" + s.data, "GOGC=" + s.gogc,
		"FIELDPHONE_LISTEN_ADDRESSES=127.0.0.1", "FIELDPHONE_LISTEN_HTTPS_PORT=0", "FIELDPHONE_LISTEN_HTTP_PORT=0", "FIELDPHONE_TURN_PORT=0",
		"FIELDPHONE_MDNS_NAME=", "FIELDPHONE_LOG_LEVEL=error", "FIELDPHONE_RELAY_PATH=user",
		"FIELDPHONE_REGISTRATION_MAX_GUESTS=100000", "FIELDPHONE_LIMITS_REGISTER_PER_MINUTE_PER_ADDRESS=100000",
		"FIELDPHONE_LIMITS_MAX_CONNECTIONS=100000", "FIELDPHONE_LIMITS_MAX_CONNECTIONS_PER_ADDRESS=100000",
	}
}

// start runs the server on the site's data folder.
func (s *benchSite) start(ctx context.Context) (bench.HubServer, error) {
	cmd := exec.Command(s.binary, "serve", "--data", s.data)
	cmd.Env = s.environ()
	lines, stop, err := startBenchServer(ctx, cmd)
	if err != nil {
		return bench.HubServer{}, err
	}
	var address string
	for line := range lines {
		if _, rest, ok := strings.Cut(line, "https://localhost:"); ok && address == "" {
			port, _, _ := strings.Cut(rest, "/")
			address = "127.0.0.1:" + port
		}
		if strings.Contains(line, "Press Ctrl-C") && address != "" {
			go func() {
				for range lines { // let it write
				}
			}()
			return bench.HubServer{
				Address: address, PID: cmd.Process.Pid, Stop: stop, People: s.people,
				Tell: func(ctx context.Context, text string) error { return s.changeLine(ctx, address, text) },
			}, nil
		}
	}
	stop()
	return bench.HubServer{}, errors.New("the server did not start")
}

// changeLine lets somebody else each time write what everybody sees beside their
// name: the one thing that a client makes the server say to all at once.
func (s *benchSite) changeLine(ctx context.Context, address, text string) error {
	s.changes++
	body, err := json.Marshal(map[string]string{"line": text})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, "https://"+address+"/api/v1/me", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.people[s.changes%len(s.people)].Token)
	return doBench(s.client, req, nil)
}

// startPlainHub runs one of the servers to compare with.
func startPlainHub(ctx context.Context, self, name string) (bench.HubServer, error) {
	cmd := exec.Command(self, "bench", "hub", plainHub, name)
	lines, stop, err := startBenchServer(ctx, cmd)
	if err != nil {
		return bench.HubServer{}, err
	}
	address, ok := <-lines
	if !ok {
		stop()
		return bench.HubServer{}, errors.New("the server did not start")
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return bench.HubServer{
		Address: address, PID: cmd.Process.Pid, Stop: func() { client.CloseIdleConnections(); stop() },
		Tell: func(ctx context.Context, text string) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+"/all", strings.NewReader(text))
			if err != nil {
				return err
			}
			return doBench(client, req, nil)
		},
	}, nil
}

// startBenchServer starts a process and gives its output line by line. stop
// kills it: nothing of it is to last.
func startBenchServer(ctx context.Context, cmd *exec.Cmd) (lines <-chan string, stop func(), err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	each := make(chan string)
	read := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(read)
		defer close(each)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			select {
			case each <- scan.Text():
			case <-gone:
				return
			}
		}
	}()
	var once sync.Once
	kill := func() { _ = cmd.Process.Kill() }
	unhook := context.AfterFunc(ctx, kill)
	return each, func() {
		once.Do(func() {
			unhook()
			close(gone)
			kill()
			<-read
			_ = cmd.Wait()
		})
	}, nil
}
