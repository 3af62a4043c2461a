// Package wire makes a small network out of namespaces, for tests and benchmarks of
// the relay: clients, server and peers, the server between the two.
package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// World is three network namespaces, joined by veth whose packets have
// checksums, as on a wire.
type World struct {
	name   string
	opened []*os.File
	Places
	Server netip.Addr // the address that clients know
}

// Places are where clients and peers are, and their addresses.
type Places struct {
	Client, Peer               Place
	ClientAddress, PeerAddress netip.Addr
	// Between is where the server is.
	Between        Place
	BetweenAddress netip.Addr // that clients know
}

// Place makes the sockets that a function opens belong to a network namespace.
type Place func(do func() error) error

// Here is the network namespace of this process.
func Here(do func() error) error { return do() }

// New makes the namespaces; it takes root. Close removes them.
func New() (*World, error) {
	w := &World{name: fmt.Sprintf("fpwire%d", os.Getpid()), Server: netip.MustParseAddr("10.99.1.1")}
	w.ClientAddress, w.PeerAddress = netip.MustParseAddr("10.99.1.2"), netip.MustParseAddr("10.99.2.2")
	steps := []string{
		"netns add {}c", "netns add {}s", "netns add {}p",
		"-n {}c link set lo up", "-n {}s link set lo up", "-n {}p link set lo up",
		"-n {}c link add eth0 type veth peer name clients netns {}s",
		"-n {}p link add eth0 type veth peer name peers netns {}s",
		"-n {}c address add 10.99.1.2/24 dev eth0", "-n {}s address add 10.99.1.1/24 dev clients",
		"-n {}p address add 10.99.2.2/24 dev eth0", "-n {}s address add 10.99.2.1/24 dev peers",
		"-n {}c link set eth0 up", "-n {}s link set clients up", "-n {}p link set eth0 up", "-n {}s link set peers up",
		"-n {}c route add default via 10.99.1.1", "-n {}p route add default via 10.99.2.1",
	}
	for _, step := range steps {
		if err := ip(strings.Fields(strings.ReplaceAll(step, "{}", w.name))...); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	var err error
	if w.Client, err = w.place("c"); err == nil {
		if w.Peer, err = w.place("p"); err == nil {
			w.Between, err = w.place("s")
		}
	}
	w.BetweenAddress = w.Server
	if err == nil {
		err = w.Offload(false)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Forward makes the server's machine a router between clients and peers, too.
func (w *World) Forward() error {
	return w.Between(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
	})
}

// Offload says whether clients and peers leave checksums, and the cutting of
// trains (UDP_SEGMENT), to hardware; New says no. veth has none: it then hands on
// what was not done, as a NIC hands on what it has joined.
func (w *World) Offload(on bool) error {
	for _, place := range []Place{w.Client, w.Peer} {
		if err := place(func() error { return offload("eth0", on) }); err != nil {
			return err
		}
	}
	return nil
}

// offload switches transmit checksum offload (ETHTOOL_STXCSUM), and with it
// segmentation, which needs it.
func offload(device string, on bool) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	value := struct{ cmd, data uint32 }{cmd: unix.ETHTOOL_STXCSUM}
	if on {
		value.data = 1
	}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], device)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("switch checksum offload of %s: %w", device, errno)
	}
	return nil
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// place runs functions on a thread that is in the namespace, so that the
// sockets that they open are.
func (w *World) place(which string) (Place, error) {
	there, err := os.Open("/run/netns/" + w.name + which)
	if err != nil {
		return nil, err
	}
	w.opened = append(w.opened, there)
	return func(do func() error) error {
		runtime.LockOSThread()
		here, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			return err
		}
		defer here.Close()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			return fmt.Errorf("enter the namespace: %w", err)
		}
		failed := do()
		if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
			return errors.Join(failed, err) // the thread stays locked, and ends with its goroutine
		}
		runtime.UnlockOSThread()
		return failed
	}, nil
}

// Command makes a command run where the server is.
func (w *World) Command(line string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", w.name + "s"}, "sh", "-c", "exec "+line)...)
}

// Close removes the namespaces and all that is in them.
func (w *World) Close() error {
	for _, f := range w.opened {
		f.Close()
	}
	var errs []error
	for _, which := range []string{"c", "s", "p"} {
		if _, err := os.Stat("/run/netns/" + w.name + which); err == nil {
			errs = append(errs, ip("netns", "delete", w.name+which))
		}
	}
	return errors.Join(errs...)
}
