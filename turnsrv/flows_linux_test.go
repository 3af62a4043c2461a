package turnsrv_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"golang.org/x/sys/unix"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/wire/wiretest"
)

// onEveryPath runs a test of one relay on each path.
func onEveryPath(t *testing.T, change relayProcess, run func(t *testing.T, s *side)) {
	world := wiretest.New(t)
	for i, path := range paths {
		t.Run(string(path), func(t *testing.T) {
			p := change
			p.Port, p.Path = uint16(3478+i), path
			if p.Ports == (turnsrv.PortRange{}) {
				p.Ports = turnsrv.PortRange{Min: 20000, Max: 20099}
			}
			s := startSide(t, world, p)
			s.begin(1, 1)
			run(t, s)
		})
	}
}

// Ensure that nothing of a call gets to whoever has its relay port next, while
// both its ends go on sending: on the path that the call has taken, too.
func TestReusedPortIsClean(t *testing.T) {
	onEveryPath(t, relayProcess{Ports: turnsrv.PortRange{Min: 20000, Max: 20000}}, func(t *testing.T, s *side) {
		old, port := s.clients[0], s.relayed[0]
		t.Cleanup(func() { old.conn.Close() })
		f := s.openFlow()
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(200 * time.Microsecond):
					_, _ = old.conn.Write(channelData(flowChannel, "of the old call"))
					_, _ = s.peers[0].WriteToUDPAddrPort([]byte("of the old call"), port)
				}
			}
		}()
		for range 20 {
			old.must(old.request(stun.MethodRefresh, lifetime(0)))
			s.enter(0)
			if s.relayed[0] != port {
				t.Fatalf("the next client has %v, not %v", s.relayed[0], port)
			}
			if how, got := s.next(1, atOnce); how != "" {
				t.Fatalf("the next client gets %q, %s", got, how)
			}
			s.clients[0].must(s.clients[0].request(stun.MethodRefresh, lifetime(0)))
			s.clients[0].conn.Close()
			// The old client calls again from where it was.
			s.clients[0] = old
			if again := old.allocate(); again != port {
				t.Fatalf("the old client has %v again, not %v", again, port)
			}
			f.bind()
			old.indications = nil
			if s.arrival(1, "of the old call", inTheEnd) == "" {
				t.Fatal("the old client hears nothing any more")
			}
		}
		close(stop)
		<-stopped
	})
}

// Ensure that a channel that nobody refreshes ends in time, though packets go on
// by it: what the peer sends then comes by the permission that is left, as an
// indication (RFC 8656, section 12.2).
func TestChannelEndsWhileInUse(t *testing.T) {
	onEveryPath(t, relayProcess{Channels: 2 * time.Second}, func(t *testing.T, s *side) {
		f := s.openFlow()
		eventually(t, "the channel ends", func() bool {
			f.number++
			up := fmt.Sprintf("%d up", f.number)
			s.clients[0].sendChannel(flowChannel, up)
			return s.arrival(0, up, 10*atOnce) == ""
		})
		f.answer("after the channel")
		if got := s.arrival(1, "after the channel", inTheEnd); got != "by channel 0x0 from target 0" {
			t.Errorf("what the peer sends arrives %q", got)
		}
		kernel := s.account().Kernel
		s.clients[0].sendChannel(flowChannel, "late")
		if got := s.arrival(0, "late", atOnce); got != "" {
			t.Errorf("it arrives %s", got)
		}
		if got := s.account().Kernel; got != kernel {
			t.Errorf("the kernel forwarded %d packets more", got-kernel)
		}
		f.bind()
		f.talk()
	})
}

// Ensure that a flow belongs to its 5-tuple: from another port of the same host
// the same frames lead nowhere, and a client that moved there has an allocation
// of its own, beside the old one.
func TestFlowBelongsToFiveTuple(t *testing.T) {
	onEveryPath(t, relayProcess{}, func(t *testing.T, s *side) {
		f := s.openFlow()
		old, port := s.clients[0], s.relayed[0]
		t.Cleanup(func() { old.conn.Close() })
		moved := &client{t: t, conn: s.dial(), realm: realm, username: old.username, password: old.password}
		for range 5 {
			moved.sendChannel(flowChannel, "from elsewhere")
		}
		if got := s.arrival(0, "from elsewhere", atOnce); got != "" {
			t.Errorf("what comes from another port arrives %s", got)
		}
		f.talk()

		s.clients[0], s.relayed[0] = moved, moved.allocate()
		if s.relayed[0] == port {
			t.Errorf("both have the relay port %v", port)
		}
		s.openFlow()
		old.sendChannel(flowChannel, "of the old one")
		s.relayed[0] = port // who it comes from
		if got := s.arrival(0, "of the old one", inTheEnd); got != "from target 1" {
			t.Errorf("what the old allocation sends arrives %q", got)
		}
	})
}

// Ensure that frames out of the ordinary fare on every path as they do with
// sockets: they arrive or do not, and the kernel path leaves them alone.
func TestUnusualFrames(t *testing.T) {
	frames := []struct {
		name    string
		change  func(f *frame)
		arrives bool
		kernel  bool
	}{
		{"usual", func(*frame) {}, true, true},
		{"a VLAN's tag", func(f *frame) { f.tag = 10 }, false, false},
		{"options", func(f *frame) { f.options = []byte{1, 1, 1, 0} }, true, false}, // RFC 791: no operation, end
		{"two fragments", func(f *frame) { f.cut = 16 }, true, false},
		{"padded", func(f *frame) { f.padding = 3 }, true, false}, // RFC 8656, section 12.5
		{"longer than it is", func(f *frame) { f.longer = 1 }, false, false},
		{"from another host", func(f *frame) { f.from = netip.MustParseAddr("10.99.1.3") }, false, false},
	}
	onEveryPath(t, relayProcess{}, func(t *testing.T, s *side) {
		s.openFlow()
		wire := s.rawSocket()
		for i, tt := range frames {
			f := frame{from: s.world.ClientAddress, data: fmt.Sprintf("frame %d %s", i, strings.Repeat("x", 40))}
			tt.change(&f)
			before := s.account().Kernel
			wire.send(f)
			wait := 5 * atOnce
			if tt.arrives {
				wait = inTheEnd
			}
			if got := s.arrival(0, f.data, wait); (got != "") != tt.arrives {
				t.Errorf("%s: arrives %q", tt.name, got)
			}
			if got := s.account().Kernel - before; got > 0 != (tt.kernel && s.path == turnsrv.PathKernel) {
				t.Errorf("%s: the kernel forwarded %d packets", tt.name, got)
			}
		}
	})
}

// frame is ChannelData of flowChannel, from the first client's port.
type frame struct {
	data    string
	from    netip.Addr
	tag     uint16 // of a VLAN, 0: none
	options []byte // of IPv4
	cut     int    // bytes of IPv4 payload in the first of two fragments, 0: one packet
	padding int    // bytes after the data
	longer  uint16 // added to the length in the channel's header
}

// rawSocket sends frames to the server.
type rawSocket struct {
	*side
	fd       int
	from, to net.HardwareAddr
}

func (s *side) rawSocket() *rawSocket {
	s.t.Helper()
	r := &rawSocket{side: s}
	s.must(s.world.Between(func() error {
		out, err := net.InterfaceByName("clients")
		if err == nil {
			r.to = out.HardwareAddr
		}
		return err
	}))
	s.must(s.world.Client(func() error {
		out, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		r.from = out.HardwareAddr
		if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		s.t.Cleanup(func() { _ = unix.Close(r.fd) })
		return unix.Bind(r.fd, &unix.SockaddrLinklayer{Ifindex: out.Index})
	}))
	return r
}

func (r *rawSocket) send(f frame) {
	r.t.Helper()
	payload := channelData(flowChannel, f.data)
	binary.BigEndian.PutUint16(payload[2:], uint16(len(f.data))+f.longer)
	payload = append(payload, make([]byte, f.padding)...)
	datagram := binary.BigEndian.AppendUint16(nil, local(r.clients[0].conn.(*net.UDPConn)).Port())
	datagram = binary.BigEndian.AppendUint16(datagram, r.server.Port())
	datagram = binary.BigEndian.AppendUint16(datagram, uint16(8+len(payload)))
	datagram = append(append(datagram, 0, 0), payload...) // no checksum (RFC 768)
	if f.cut == 0 {
		r.packet(f, 0, datagram)
		return
	}
	const more = 1 << 13
	r.packet(f, more, datagram[:f.cut])
	r.packet(f, uint16(f.cut/8), datagram[f.cut:])
}

// packet sends an IPv4 packet, with the field of fragments as given.
func (r *rawSocket) packet(f frame, fragment uint16, payload []byte) {
	r.t.Helper()
	size := 20 + len(f.options)
	header := []byte{0x40 | byte(size/4), 0, 0, 0, 0x12, 0x34, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	header = slices.Concat(header, f.from.AsSlice(), r.server.Addr().AsSlice(), f.options)
	binary.BigEndian.PutUint16(header[2:], uint16(size+len(payload)))
	binary.BigEndian.PutUint16(header[6:], fragment)
	var sum uint32
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(header[10:], ^uint16(sum+sum>>16))
	ethernet := slices.Concat(r.to, r.from)
	if f.tag > 0 {
		ethernet = binary.BigEndian.AppendUint16(append(ethernet, 0x81, 0x00), f.tag)
	}
	if _, err := unix.Write(r.fd, slices.Concat(ethernet, []byte{0x08, 0x00}, header, payload)); err != nil {
		r.t.Fatal(err)
	}
}
