package relay

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
	"github.com/vishvananda/netlink"
)

// kernelProgram is tcpath.c, compiled by generate.sh. Its byte code is the same
// on amd64 and arm64.
//
//go:embed tcpath_bpfel.o
var kernelProgram []byte

// The program's names, and its enum kind.
const (
	programName = "fieldphone"
	mapName     = "flows"
)

type flowKey struct {
	Saddr, Daddr [4]byte
	Sport, Dport [2]byte
	Channel      uint16
	_            uint16
}

type flowAction struct {
	Saddr, Daddr   [4]byte
	Sport, Dport   [2]byte
	Channel        uint16
	Kind           uint16
	Ifindex        uint32
	MTU            uint32
	Packets, Bytes uint64
}

// Kernel is the program at the ingress of this machine's interfaces. What it
// forwards, Put has told it; it ends with the process.
type Kernel struct {
	collection *ebpf.Collection
	flows      *ebpf.Map
	program    *ebpf.Program

	mu    sync.Mutex
	links map[int]link.Link
	done  chan struct{}
}

// LoadKernel tries whether the system has what the kernel path needs: CAP_BPF,
// CAP_NET_ADMIN, and Linux 6.6. changed is called when routes or interfaces
// changed; what was told by Put is forgotten then.
func LoadKernel(changed func()) (*Kernel, error) {
	_ = rlimit.RemoveMemlock() // needed before Linux 5.11 only
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(kernelProgram))
	if err != nil {
		return nil, fmt.Errorf("relay: read the kernel program: %w", err)
	}
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		return nil, fmt.Errorf("relay: load the kernel program: %w", err)
	}
	k := &Kernel{
		collection: collection, flows: collection.Maps[mapName], program: collection.Programs[programName],
		links: make(map[int]link.Link), done: make(chan struct{}),
	}
	if err := errors.Join(k.attach(), k.watch(changed)); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// attach puts the program on every interface that is up and new.
func (k *Kernel) attach() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	present := make(map[int]bool)
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || len(i.HardwareAddr) == 0 {
			continue
		}
		present[i.Index] = true
		if k.links[i.Index] != nil {
			continue
		}
		l, err := link.AttachTCX(link.TCXOptions{Interface: i.Index, Program: k.program, Attach: ebpf.AttachTCXIngress})
		if err != nil {
			return fmt.Errorf("relay: attach the kernel program to %s: %w", i.Name, err)
		}
		k.links[i.Index] = l
	}
	for index, l := range k.links {
		if !present[index] {
			_ = l.Close()
			delete(k.links, index)
		}
	}
	return nil
}

// watch follows routes and interfaces.
func (k *Kernel) watch(changed func()) error {
	routes, links := make(chan netlink.RouteUpdate, 64), make(chan netlink.LinkUpdate, 64)
	if err := errors.Join(netlink.RouteSubscribe(routes, k.done), netlink.LinkSubscribe(links, k.done)); err != nil {
		return fmt.Errorf("relay: watch routes: %w", err)
	}
	go func() {
		for routes != nil || links != nil {
			select {
			case _, open := <-routes:
				if !open {
					routes = nil
					continue
				}
			case _, open := <-links:
				if !open {
					links = nil
					continue
				}
			}
			select {
			case <-k.done:
				continue
			default:
			}
			_ = k.attach() // an interface without it is served by the sockets
			changed()
		}
	}()
	return nil
}

func four(a netip.AddrPort) (address [4]byte, port [2]byte, ok bool) {
	if !a.Addr().Is4() {
		return address, port, false
	}
	binary.BigEndian.PutUint16(port[:], a.Port())
	return a.Addr().As4(), port, true
}

func (f Flow) key() (key flowKey, ok bool) {
	var from, to bool
	key.Saddr, key.Sport, from = four(f.From)
	key.Daddr, key.Dport, to = four(f.To)
	key.Channel = f.Channel
	return key, from && to
}

// Put makes the kernel forward a flow. The error is ErrNoWay where the sockets
// must do it.
func (k *Kernel) Put(flow Flow, forward Forward) error {
	key, ok := flow.key()
	action := flowAction{Channel: forward.Channel, Kind: uint16(forward.Change)}
	var from, to bool
	action.Saddr, action.Sport, from = four(forward.From)
	action.Daddr, action.Dport, to = four(forward.To)
	if !ok || !from || !to {
		return ErrNoWay
	}
	way, err := netlink.RouteGetWithOptions(forward.To.Addr().AsSlice(), &netlink.RouteGetOptions{SrcAddr: forward.From.Addr().AsSlice()})
	if err != nil || len(way) == 0 {
		return ErrNoWay
	}
	out, err := net.InterfaceByIndex(way[0].LinkIndex)
	if err != nil || out.Flags&net.FlagLoopback != 0 || len(out.HardwareAddr) == 0 {
		return ErrNoWay
	}
	action.Ifindex, action.MTU = uint32(out.Index), uint32(out.MTU)
	if way[0].MTU > 0 && way[0].MTU < out.MTU {
		action.MTU = uint32(way[0].MTU)
	}
	if err := k.flows.Put(key, action); err != nil {
		return fmt.Errorf("relay: tell the kernel of a flow: %w", err)
	}
	return nil
}

// Count says what was forwarded of a flow since Put.
func (k *Kernel) Count(flow Flow) Counted {
	var action flowAction
	key, _ := flow.key()
	if err := k.flows.Lookup(key, &action); err != nil {
		return Counted{}
	}
	return Counted{action.Packets, action.Bytes}
}

// Delete makes the kernel leave a flow alone, and says what was forwarded of it.
func (k *Kernel) Delete(flow Flow) Counted {
	var action flowAction
	key, _ := flow.key()
	if err := k.flows.LookupAndDelete(key, &action); err != nil {
		return Counted{}
	}
	return Counted{action.Packets, action.Bytes}
}

// Flows counts those that the kernel knows, one by one.
func (k *Kernel) Flows() (n int) {
	var key flowKey
	var action flowAction
	for all := k.flows.Iterate(); all.Next(&key, &action); {
		n++
	}
	return n
}

// Close takes the program off all interfaces.
func (k *Kernel) Close() error {
	close(k.done)
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, l := range k.links {
		errs = append(errs, l.Close())
	}
	clear(k.links)
	k.collection.Close()
	return errors.Join(errs...)
}
