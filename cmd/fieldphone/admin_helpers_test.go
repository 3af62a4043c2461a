package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv/turnclient"
)

// someone is somebody signed in, who speaks to the API.
type someone struct {
	r      *runner
	id     string
	token  string
	client *http.Client
}

func (r *runner) person(id string) *someone {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	r.t.Cleanup(client.CloseIdleConnections)
	return &someone{r, id, r.signIn(id), client}
}

// admin adds an administrator at the console and signs in.
func (r *runner) admin(id string) *someone {
	r.t.Helper()
	if code, _, stderr := fieldphone(r.t, "correct horse "+id+"\n", "user", "add", id, "--name", strings.ToUpper(id), "--admin", "--data", r.data); code != 0 {
		r.t.Fatal(stderr)
	}
	return r.person(id)
}

// user registers somebody.
func (r *runner) user(id string) *someone {
	r.t.Helper()
	if code, _, stderr := fieldphone(r.t, "correct horse "+id+"\n", "user", "add", id, "--name", strings.ToUpper(id), "--data", r.data); code != 0 {
		r.t.Fatal(stderr)
	}
	return r.person(id)
}

// reply is what the API answered.
type reply struct {
	status int
	body   []byte
}

func (p *someone) try(method, path string, body any) (reply, error) {
	text, isText := body.(string)
	if !isText && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		text = string(encoded)
	}
	req, err := http.NewRequestWithContext(p.r.t.Context(), method, p.r.url+"/api/v1"+path, strings.NewReader(text))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := p.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, answer}, err
}

func (p *someone) do(method, path string, body any) reply {
	p.r.t.Helper()
	answer, err := p.try(method, path, body)
	if err != nil {
		p.r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// want decodes the answer of a request that must have this status.
func want[T any](t *testing.T, status int, r reply) (out T) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if len(r.body) > 0 {
		if err := json.Unmarshal(r.body, &out); err != nil {
			t.Fatalf("%v: %s", err, r.body)
		}
	}
	return out
}

type (
	object  = map[string]any
	nothing = struct{}
)

type settingsAnswer struct {
	Revision string
	Settings struct {
		Ports  struct{ Min, Max uint16 } `json:"relay_ports"`
		Limits map[string]int
		Peers  struct {
			Mode string
			Deny []string
		}
		Registration object
		Log          object
		Segments     []object
	}
	Fixed    []string
	Defaults object
}

type refusalAnswer struct {
	Error struct {
		Code     string
		By       struct{ ID, Name string }
		At       int64
		Keys     []string
		Problems []problemAnswer
	}
}

type problemAnswer struct{ Key, Code, Message string }

type previewAnswer struct {
	Problems []problemAnswer
	Effects  []struct {
		Code   string
		Params object
	}
}

type entryAnswer struct {
	ID            int64
	Admin         struct{ ID, Name string }
	Action        string
	Target        string
	Before, After object
	UndoneBy      int64 `json:"undone_by"`
	Undoes        int64
	CanUndo       bool `json:"can_undo"`
}

type liveAnswer struct {
	People []struct {
		ID      string
		Admin   bool
		Devices []struct{ Device, Session, Address, Segment string }
	}
	Calls       []struct{ Call, State string }
	Allocations []struct {
		ID       int64
		User     string
		Relayed  netip.AddrPort
		Outside  bool
		UpKbps   float64 `json:"up_kbps"`
		DownKbps float64 `json:"down_kbps"`
		BytesUp  int64   `json:"bytes_up"`
	}
	Ports    []struct{ Min, Max, Used, Outside, Free int }
	Forecast struct{ State string }
	Warnings []struct {
		Code   string
		Params object
	}
}

func (p *someone) settings() settingsAnswer {
	p.r.t.Helper()
	return want[settingsAnswer](p.r.t, 200, p.do("GET", "/admin/settings", nil))
}

// set changes settings as they are now.
func (p *someone) set(settings object) settingsAnswer {
	p.r.t.Helper()
	return want[settingsAnswer](p.r.t, 200, p.do("PUT", "/admin/settings", object{"revision": p.settings().Revision, "settings": settings}))
}

func (p *someone) log() []entryAnswer {
	p.r.t.Helper()
	return want[struct{ Entries []entryAnswer }](p.r.t, 200, p.do("GET", "/admin/log", nil)).Entries
}

// live looks until a condition holds.
func (p *someone) live(holds func(liveAnswer) bool) liveAnswer {
	p.r.t.Helper()
	var now liveAnswer
	await(p.r.t, func() bool {
		now = want[liveAnswer](p.r.t, 200, p.do("GET", "/admin/live", nil))
		return holds(now)
	})
	return now
}

func always(liveAnswer) bool { return true }

// await polls a condition.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("it did not come true within 10 s")
		case <-tick.C:
		}
	}
}

func (p *someone) sessionOf(user string) string {
	p.r.t.Helper()
	for _, each := range p.live(always).People {
		if each.ID == user && len(each.Devices) > 0 {
			return each.Devices[0].Session
		}
	}
	p.r.t.Fatalf("%s is not there", user)
	return ""
}

// exchange sends a datagram each way between two that have bound channels.
func exchange(t *testing.T, a, b *turnclient.Client) {
	t.Helper()
	for _, way := range [][2]*turnclient.Client{{a, b}, {b, a}} {
		if err := way[0].Send([]byte("hello over the relay")); err != nil {
			t.Fatal(err)
		}
		if got, err := way[1].Receive(time.Now().Add(5 * time.Second)); err != nil || string(got) != "hello over the relay" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

var (
	hereOne = netip.MustParseAddr("127.0.0.1")
	hereTwo = netip.MustParseAddr("127.0.0.2")
)

// mkdirWithFile makes a folder that cannot be replaced by a file.
func mkdirWithFile(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, "file"), nil, 0o600)
}
