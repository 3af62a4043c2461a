package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/host"
	"fieldphone/httpapi/lanca"
)

const (
	askTimeout = 4 * time.Second
	ourName    = "fieldphone" // of the process

	otherSettings = "Give the doctor the --data, --config and FIELDPHONE_ variables that it was started with, or stop it if it should not run."
)

// running is a server that answers at the configured HTTPS port.
type running struct {
	base  string // https://127.0.0.1:8443
	pid   int    // 0 if the system does not tell
	leaf  *x509.Certificate
	chain []*x509.Certificate
	mine  bool // it serves this data folder's certificate
}

// hosts are those to reach this very server by: the addresses that it listens on, or
// loopback if it listens on all.
func (e *exam) hosts() []string {
	if len(e.Config.Listen.Addresses) == 0 {
		return []string{"127.0.0.1"}
	}
	var hosts []string
	for _, a := range e.Config.Listen.Addresses {
		hosts = append(hosts, a.String())
	}
	return hosts
}

// detect asks the configured port whether a server of ours is there.
func (e *exam) detect(ctx context.Context) {
	port := e.Config.Listen.HTTPSPort
	if port == 0 {
		return
	}
	for _, name := range e.hosts() {
		r := &running{base: "https://" + net.JoinHostPort(name, strconv.Itoa(port))}
		if r.healthy(ctx) != nil {
			continue
		}
		r.mine = e.owns(r)
		if p, known := e.sockets.owner("tcp", listenAddr(name), uint16(port)); known {
			r.pid = p.PID
		}
		e.running = r
		return
	}
}

func listenAddr(name string) netip.Addr {
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return addr
}

// client trusts any certificate, but remembers it: what it is worth is judged elsewhere.
func (r *running) client() *http.Client {
	return &http.Client{Timeout: askTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
			VerifyConnection: func(state tls.ConnectionState) error {
				r.leaf, r.chain = state.PeerCertificates[0], state.PeerCertificates
				return nil
			},
		},
	}}
}

// get returns the body of an answer with that status.
func (r *running) get(ctx context.Context, path string, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := r.client().Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(into)
}

func (r *running) healthy(ctx context.Context) error {
	var health struct{ Status string }
	status, err := r.get(ctx, "/healthz", &health)
	if err != nil {
		return err
	}
	if status != http.StatusOK || health.Status != "ok" {
		return fmt.Errorf("it answers %d", status)
	}
	return nil
}

// owns tells whether the server has the certificate of this data folder.
func (e *exam) owns(r *running) bool {
	if c := e.Config.TLS; c.Cert != "" {
		provided, err := lanca.OpenProvided(lanca.ProvidedConfig{CertFile: c.Cert, KeyFile: c.Key})
		return err == nil && provided.Leaf().Equal(r.leaf)
	}
	leaf, err := lanca.ReadLeaf(e.CA)
	if err != nil {
		return false
	}
	// A reissued leaf keeps the key.
	return slices.Equal(leaf.RawSubjectPublicKeyInfo, r.leaf.RawSubjectPublicKeyInfo)
}

// server tells what a running one says of itself.
func (e *exam) server(ctx context.Context) {
	r := e.running
	switch {
	case r == nil && e.Config.Listen.HTTPSPort == 0:
		e.skip("running", "listen.https_port is 0: any free port, so a running server cannot be found")
		return
	case r == nil:
		e.skip("running", "no server answers at port %d of this machine", e.Config.Listen.HTTPSPort)
		e.elsewhere()
		return
	case !r.mine:
		e.fail("running", otherSettings, "another Fieldphone answers at %s, not that of this data folder", r.base)
		return
	}
	text := r.base + " answers"
	if r.pid != 0 {
		text += fmt.Sprintf(" (pid %d)", r.pid)
	}
	e.ok("running", "%s", text)
	var ready struct {
		Ready bool
		Parts map[string]string
	}
	status, err := r.get(ctx, "/readyz", &ready)
	var failing []string
	for part, state := range ready.Parts {
		if state != "ok" {
			failing = append(failing, part)
		}
	}
	slices.Sort(failing)
	switch {
	case err != nil || len(failing) == 0 && !ready.Ready:
		e.fail("ready", "The server's log says why.", "/readyz answers %d", status)
	case len(failing) > 0:
		e.fail("ready", "The checks above and below say why; so does the server's log.", "it says that these parts fail: %s", strings.Join(failing, ", "))
	default:
		e.ok("ready", "all its parts are well")
	}
}

// elsewhere finds a server with other settings than the doctor's.
func (e *exam) elsewhere() {
	for _, held := range e.sockets.all("tcp") {
		if held.process.Name == ourName {
			e.warn("running", otherSettings, "%s runs, and listens at %s", held.process, held.address)
			return
		}
	}
}

// sockets are those of this machine, read once.
type sockets struct {
	read  map[string][]held
	known map[string]bool
}

// held is a socket and who has it.
type held struct {
	address netip.AddrPort
	process host.Process
}

func (s *sockets) all(network string) []held {
	if found, done := s.read[network]; done {
		return found
	}
	if s.read == nil {
		s.read, s.known = make(map[string][]held), make(map[string]bool)
	}
	list, known := host.Sockets(network)
	owners := host.Owners(list)
	found := make([]held, len(list))
	for i, socket := range list {
		found[i] = held{socket.Address, owners[i]}
	}
	s.read[network], s.known[network] = found, known
	return found
}

// owner is the process that holds a port at an address, or at all.
func (s *sockets) owner(network string, addr netip.Addr, port uint16) (host.Process, bool) {
	for _, h := range s.all(network) {
		if h.address.Port() == port && (h.address.Addr() == addr || h.address.Addr().IsUnspecified() || addr.IsUnspecified()) {
			return h.process, true
		}
	}
	return host.Process{}, false
}
