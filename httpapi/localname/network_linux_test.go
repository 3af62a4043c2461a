package localname

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const insideNamespace = "LOCALNAME_TEST_NAMESPACE"

// inNetwork runs the rest of a test in a network namespace of its own, where it may make
// interfaces: the test's process starts itself there, as the root of that namespace.
func inNetwork(t *testing.T, test func()) {
	t.Helper()
	if os.Getenv(insideNamespace) == t.Name() {
		ip(t, "link", "set", "lo", "up")
		test()
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=60s", "-test.v")
	cmd.Env = append(os.Environ(), insideNamespace+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// phone is another host: a thread with a network namespace of its own.
type phone struct {
	t    *testing.T
	work chan func()
}

// newPhone makes a phone with these addresses, on a cable to the interface name.
func newPhone(t *testing.T, name string, addrs ...string) *phone {
	t.Helper()
	p := &phone{t: t, work: make(chan func())}
	namespace := make(chan string)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread and its namespace end with the phone
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		namespace <- fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid())
		for f := range p.work {
			f()
		}
	})
	t.Cleanup(func() { close(p.work); wg.Wait() })
	ip(t, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", <-namespace)
	ip(t, "link", "set", name, "up")
	p.do(func() {
		ip(t, "link", "set", "lo", "up")
		ip(t, "link", "set", "eth0", "up")
		for _, addr := range addrs {
			ip(t, "addr", "add", addr, "dev", "eth0", "nodad")
		}
	})
	return p
}

func (p *phone) do(f func()) {
	done := make(chan struct{})
	p.work <- func() { defer close(done); f() }
	<-done
}

// asker is a socket of a phone that speaks raw mDNS.
type asker struct {
	t    *testing.T
	conn *net.UDPConn
}

// asker binds to a port; 0 asks as a resolver that does not know mDNS.
func (p *phone) asker(from string, port int) *asker {
	p.t.Helper()
	a := &asker{t: p.t}
	p.do(func() {
		laddr := &net.UDPAddr{IP: net.ParseIP(from), Port: port}
		if port == 5353 {
			laddr.IP = net.IPv4(224, 0, 0, 251)
		}
		conn, err := net.ListenUDP("udp4", laddr)
		if err != nil {
			p.t.Fatal(err)
		}
		a.conn = conn
		eth0, err := net.InterfaceByName("eth0")
		if err != nil {
			p.t.Fatal(err)
		}
		out := ipv4.NewPacketConn(conn)
		if err := out.SetMulticastInterface(eth0); err != nil {
			p.t.Fatal(err)
		}
		if err := out.JoinGroup(eth0, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251)}); err != nil {
			p.t.Fatal(err)
		}
	})
	p.t.Cleanup(func() { a.conn.Close() })
	return a
}

func question(name string, kind dnsmessage.Type) dnsmessage.Message {
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
}

func (a *asker) send(m dnsmessage.Message) {
	a.t.Helper()
	packet, err := m.Pack()
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.conn.WriteToUDPAddrPort(packet, group()); err != nil {
		a.t.Fatal(err)
	}
}

// response waits for the next response and returns what it says and who sent it.
func (a *asker) response(wait time.Duration) (m dnsmessage.Message, from netip.AddrPort, ok bool) {
	a.t.Helper()
	if err := a.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		a.t.Fatal(err)
	}
	buf := make([]byte, maxMessage)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return m, from, false
		}
		if err := m.Unpack(buf[:n]); err != nil {
			a.t.Fatal(err)
		}
		if m.Response {
			return m, from, true
		}
	}
}

// resolve asks again and again, as a resolver does, until there is an answer.
func (a *asker) resolve(name string, kind dnsmessage.Type) (m dnsmessage.Message, answers string) {
	a.t.Helper()
	for range 40 {
		a.send(question(name, kind))
		if m, _, ok := a.response(200 * time.Millisecond); ok {
			return m, records(m.Answers)
		}
	}
	a.t.Fatalf("nobody answers for %s", name)
	return m, ""
}

func records(rs []dnsmessage.Resource) string {
	var out []string
	for _, r := range rs {
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			out = append(out, netip.AddrFrom4(body.A).String())
		case *dnsmessage.AAAAResource:
			out = append(out, netip.AddrFrom16(body.AAAA).String())
		case *dnsmessage.UnknownResource:
			out = append(out, fmt.Sprintf("%d:%x", body.Type, body.Data))
		}
	}
	return strings.Join(out, " ")
}
