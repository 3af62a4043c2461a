//go:build services

package turnsrv_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv"
)

// foreignSite is a site with a TLS listener, and a peer that sends everything
// back, for the clients that come with coturn.
type foreignSite struct {
	*site
	port, tlsPort uint16
	ca            string // PEM file
	echo          netip.AddrPort
}

func startForeign(t *testing.T, change ...func(*turnsrv.Config)) *foreignSite {
	t.Helper()
	t.Parallel()
	s, port := startSquare(t, append([]func(*turnsrv.Config){func(c *turnsrv.Config) { c.Relay = freeRange(t, 64) }}, change...)...)
	f := &foreignSite{site: s, port: port}
	certificate, pemText := selfSigned(t)
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	f.tlsPort = netip.MustParseAddrPort(listener.Addr().String()).Port()
	if err := s.Add(turnsrv.Listener{TCP: listener}); err != nil {
		t.Fatal(err)
	}
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(f.ca, pemText, 0o600); err != nil {
		t.Fatal(err)
	}
	echo := listenUDP(t, addrPeer)
	f.echo = local(echo)
	go func() {
		buffer := make([]byte, 2000)
		for {
			n, from, err := echo.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			_, _ = echo.WriteToUDPAddrPort(buffer[:n], from)
		}
	}()
	return f
}

func selfSigned(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "turn test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// run starts a foreign program against the site and returns what it wrote.
func (f *foreignSite) run(t *testing.T, program string, args ...string) (output string, err error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "timeout", append([]string{"60", program}, args...)...).CombinedOutput()
	return string(out), err
}

// uclient runs turnutils_uclient with the given flags and credential.
func (f *foreignSite) uclient(t *testing.T, username, password, flags string) (output string, err error) {
	t.Helper()
	port := f.port
	if strings.Contains(flags, "-S") {
		port = f.tlsPort
	}
	args := append(strings.Fields(flags), "-u", username, "-w", password, "-p", strconv.Itoa(int(port)))
	if !strings.Contains(flags, "-y") && !strings.Contains(flags, "-T") {
		args = append(args, "-e", f.echo.Addr().String(), "-r", strconv.Itoa(int(f.echo.Port())))
	}
	return f.run(t, "turnutils_uclient", append(args, "127.0.0.1")...)
}

var totals = regexp.MustCompile(`start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)`)

// Every message that a foreign client sends comes back.
func TestForeignClientLosesNothing(t *testing.T) {
	const clients, messages = 4, 25
	load := " -m " + strconv.Itoa(clients) + " -n " + strconv.Itoa(messages) + " -l 500 "
	clientsMode := func(c *turnsrv.Config) { c.Policy.Mode = turnsrv.ModeClients }
	for name, test := range map[string]struct {
		flags  string
		change func(*turnsrv.Config)
	}{
		"UDP, channel":                  {"-c", nil},
		"UDP, indications":              {"-c -s", nil},
		"UDP, channel, extra requests":  {"-c -G", nil},
		"UDP, padded channel data":      {"-c -D", nil},
		"UDP, IPv4 asked for":           {"-c -X", nil},
		"TCP, channel":                  {"-c -t", nil},
		"TCP, indications":              {"-c -t -s", nil},
		"TLS, channel":                  {"-c -t -S", nil},
		"TLS, indications":              {"-c -t -S -s", nil},
		"relay to relay, UDP, channel":  {"-c -y", clientsMode},
		"relay to relay, UDP, send":     {"-c -y -s", clientsMode},
		"relay to relay, TCP":           {"-c -y -t", clientsMode},
		"relay to relay, TLS":           {"-c -y -t -S", clientsMode},
		"relay to relay, any peer, UDP": {"-c -y", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := startForeign(t, func(c *turnsrv.Config) {
				c.Limits.AllocationsPerSession = 4 * clients
				if test.change != nil {
					test.change(c)
				}
			})
			username, password := f.login("ann", "S1")
			flags := test.flags + load
			if strings.Contains(flags, "-S") {
				flags += "-E " + f.ca
			}
			output, err := f.uclient(t, username, password, flags)
			found := totals.FindStringSubmatch(output)
			if err != nil || found == nil {
				t.Fatalf("%v:\n%s", err, output)
			}
			want := strconv.Itoa(clients * messages)
			if found[1] != want || found[2] != want {
				t.Errorf("sent %s and received %s messages, want %s:\n%s", found[1], found[2], want, output)
			}
			stats := f.Stats()
			by := map[bool]turnsrv.Traffic{strings.Contains(flags, "-t"): stats.TCP, !strings.Contains(flags, "-t"): stats.UDP}[true]
			if strings.Contains(flags, "-S") {
				by = stats.TLS
			}
			if by.PacketsIn < clients*messages || stats.Relay.PacketsIn < clients*messages {
				t.Errorf("the messages took another way: %+v", stats)
			}
			t.Logf("sent %s, received %s", found[1], found[2])
		})
	}
}

// What is refused is refused with the code that the client can tell.
func TestForeignClientHearsWhy(t *testing.T) {
	for name, test := range map[string]struct {
		flags    string
		password string
		change   func(*turnsrv.Config)
		code     int
		says     string
	}{
		"wrong password":            {"-c", "wrong", nil, 401, "Cannot complete Allocation"},
		"wrong password, TCP":       {"-c -t", "wrong", nil, 401, "Cannot complete Allocation"},
		"reserved port":             {"", "", nil, 508, "error 508"},
		"TCP relay":                 {"-c -t -T", "", nil, 442, "error 442"},
		"don't fragment":            {"-c -g", "", nil, 420, "error 420"},
		"too many for the session":  {"-c -m 4", "", func(c *turnsrv.Config) { c.Limits.AllocationsPerSession = 2 }, 486, "error 486"},
		"too many for the server":   {"-c -m 4", "", func(c *turnsrv.Config) { c.Limits.Allocations = 2 }, 508, "error 508"},
		"a peer that is not let in": {"-c", "", func(c *turnsrv.Config) { c.Policy.Mode = turnsrv.ModeClients }, 403, "error 403"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startForeign(t, func(c *turnsrv.Config) {
				if test.change != nil {
					test.change(c)
				}
			})
			username, password := f.login("ann", "S1")
			if test.password != "" {
				password = test.password
			}
			output, err := f.uclient(t, username, password, test.flags+" -n 1")
			if err == nil || !strings.Contains(output, test.says) {
				t.Errorf("got %v, want a failure and %q:\n%s", err, test.says, output)
			}
			if got := f.Stats().Errors[test.code]; got == 0 {
				t.Errorf("no error %d was sent: %v", test.code, f.Stats().Errors)
			}
		})
	}
}

func TestForeignSTUNClient(t *testing.T) {
	f := startForeign(t)
	output, err := f.run(t, "turnutils_stunclient", "-p", strconv.Itoa(int(f.port)), "127.0.0.1")
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	for _, want := range []string{
		"Response origin: : " + netip.AddrPortFrom(addrOne, f.port).String(),
		"Response origin: : " + netip.AddrPortFrom(addrTwo, f.port+1).String(),
		"Other addr: : " + netip.AddrPortFrom(addrTwo, f.port+1).String(),
		"UDP reflexive addr: 127.0.0.1:",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in:\n%s", want, output)
		}
	}
}

// A foreign client sees through a NAT what DiscoverNAT sees.
func TestForeignNATDiscovery(t *testing.T) {
	words := map[turnsrv.Behaviour]string{
		turnsrv.EndpointIndependent:     "Endpoint Independent",
		turnsrv.AddressDependent:        "Address Dependent",
		turnsrv.AddressAndPortDependent: "Address and Port Dependent",
	}
	for behaviour, word := range words {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			server, _ := squareBehindNAT(t, behaviour, behaviour, true)
			args := []string{"30", "turnutils_natdiscovery", "-m", "-f", "-p", strconv.Itoa(int(server.Port())), server.Addr().String()}
			output, err := exec.CommandContext(t.Context(), "timeout", args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, output)
			}
			wants := []string{word + " Filtering!"}
			// It takes the third test's address from the second response instead
			// of the first (RFC 5780 section 4.3), so this mapping it cannot tell.
			if behaviour != turnsrv.AddressDependent {
				wants = append(wants, word+" Mapping!")
			}
			for _, want := range wants {
				if !strings.Contains(string(output), want) {
					t.Errorf("no %q in:\n%s", want, output)
				}
			}
		})
	}
}
