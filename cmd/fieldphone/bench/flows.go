package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"fieldphone/turnsrv/relay"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"

	"github.com/pion/stun/v3"
)

// untrusted is for TLS to servers that a bench started itself.
func untrusted(n turnclient.Network) *tls.Config {
	if n != turnclient.TLS {
		return nil
	}
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a load generator believes its own server
}

// end is one socket or stream that packets come in at.
type end struct {
	client *turnclient.Client
	peer   *net.UDPConn
	reader *relay.Reader // nil for a stream
	conn   syscall.RawConn
	in     *flow // what arrives here
}

type flows struct {
	ends  []*end
	flows []*flow
	began time.Time
}

// openFlows makes the allocations and what is behind them. What was opened is
// returned in any case.
func openFlows(ctx context.Context, target Target, load RelayLoad, places wire.Places) (*flows, error) {
	fs := &flows{began: time.Now()}
	if target.Control != 0 {
		return fs, fs.openControl(target.Control, load, places)
	}
	relayed := make([]netip.AddrPort, load.Clients)
	clients := make([]*end, load.Clients)
	for i := range clients {
		c, at, err := target.open(ctx, rand.IntN(1<<30), places.Client, places.ClientAddress)
		if err != nil {
			return fs, fmt.Errorf("client %d: %w", i+1, err)
		}
		clients[i], relayed[i] = &end{client: c}, at
		fs.ends = append(fs.ends, clients[i])
	}
	if load.Pairs {
		for i := range clients {
			if err := clients[i].client.BindChannel(ctx, relayed[i^1]); err != nil {
				return fs, err
			}
		}
		for i := range clients {
			if err := fs.join(clients[i], clients[i^1], netip.AddrPort{}, load); err != nil {
				return fs, err
			}
		}
		return fs, nil
	}
	for i, c := range clients {
		if err := fs.openPeer(ctx, c, relayed[i], load, places); err != nil {
			return fs, err
		}
	}
	return fs, nil
}

// openPeer gives a client a peer, which answers with STUN first, as those of
// browsers do.
func (fs *flows) openPeer(ctx context.Context, c *end, relayed netip.AddrPort, load RelayLoad, places wire.Places) error {
	p, err := fs.openSocket(places.Peer, places.PeerAddress)
	if err != nil {
		return err
	}
	if err := c.client.BindChannel(ctx, p.local()); err != nil {
		return err
	}
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if _, err := p.peer.WriteToUDPAddrPort(check.Raw, relayed); err != nil {
		return err
	}
	if _, err := c.client.Receive(time.Now().Add(5 * time.Second)); err != nil {
		return fmt.Errorf("the peer's check did not arrive: %w", err)
	}
	if load.Up {
		if err := fs.join(c, p, netip.AddrPort{}, load); err != nil {
			return err
		}
	}
	if load.Down {
		return fs.join(p, c, relayed, load)
	}
	return nil
}

// openControl has sockets instead of clients.
func (fs *flows) openControl(control Control, load RelayLoad, places wire.Places) error {
	far, at := places.Peer, places.PeerAddress
	if control == OneHop {
		far, at = places.Between, places.BetweenAddress
	}
	for range load.Clients {
		near, err := fs.openSocket(places.Client, places.ClientAddress)
		if err != nil {
			return err
		}
		other, err := fs.openSocket(far, at)
		if err != nil {
			return err
		}
		if load.Up || load.Pairs {
			if err := fs.join(near, other, other.local(), load); err != nil {
				return err
			}
		}
		if load.Down || load.Pairs {
			if err := fs.join(other, near, near.local(), load); err != nil {
				return err
			}
		}
	}
	return nil
}

func (fs *flows) openSocket(at wire.Place, address netip.Addr) (*end, error) {
	e := &end{}
	err := at(func() (err error) {
		e.peer, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	fs.ends = append(fs.ends, e)
	return e, e.peer.SetReadBuffer(4 << 20)
}

func (e *end) local() netip.AddrPort { return e.peer.LocalAddr().(*net.UDPAddr).AddrPort() }

func (e *end) listen(conn *net.UDPConn, trains bool) {
	size := 2048
	if trains && relay.JoinTrains(conn) {
		size = relay.TrainBuffer
	}
	if raw, err := conn.SyscallConn(); err == nil {
		e.conn, e.reader = raw, relay.NewReader(16, size)
	}
}

// receive reads until the socket is closed or its deadline is over.
func (e *end) receive(began time.Time) {
	if e.in == nil {
		return
	}
	if e.reader == nil { // a stream
		for {
			data, err := e.client.Receive(time.Now().Add(time.Hour))
			if err != nil {
				return
			}
			e.in.arrived(data, time.Since(began))
		}
	}
	for {
		n, err := e.reader.Read(e.conn)
		if err != nil {
			return
		}
		now := time.Since(began)
		for i := range n {
			d, _ := e.reader.Datagram(i)
			d.Each(func(data []byte) {
				if e.client != nil {
					data = data[min(4, len(data)):]
				}
				e.in.arrived(data, now)
			})
		}
	}
}

func closeFlows(fs *flows) error {
	if fs == nil {
		return nil
	}
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, e := range fs.ends {
		switch {
		case e.client != nil:
			// What is still under way must not be taken for a broken server.
			_ = e.client.Release(ctx)
			errs = append(errs, e.client.Close())
		case e.peer != nil:
			errs = append(errs, e.peer.Close())
		}
	}
	return errors.Join(errs...)
}
