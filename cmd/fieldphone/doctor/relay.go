package doctor

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/cmd/fieldphone/host"
	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/turnclient"
)

const (
	loopTimeout = 6 * time.Second // for one transport of one address
	loopPackets = 100
	loopBytes   = 1000
	loopEvery   = 2 * time.Millisecond
	loopLoss    = 0.02 // more is told
)

// relay sends packets from relay port to relay port, over each transport, as two clients
// of a call would: through the running server, or through one that runs as long.
func (e *exam) relay(ctx context.Context) {
	addrs := e.relayAddresses()
	if len(addrs) == 0 {
		e.skip("loop", "no IPv4 address to relay by yet")
		return
	}
	secret, err := e.turnSecret()
	if err != nil {
		e.fail("loop", "See data: the server's secret cannot be read.", "%v", err)
		return
	}
	port := uint16(e.Config.TURN.Port)
	onHTTPS := false
	switch {
	case e.running == nil:
		port, err = e.lend(ctx, addrs, &secret)
		if host.InUse(err) {
			e.skip("loop", "the relay's port is held by another program: see network")
			return
		}
		if err != nil {
			e.fail("loop", "See network: the relay's port cannot be used.", "%v", err)
			return
		}
	case !e.running.mine:
		e.skip("loop", "another Fieldphone runs here")
		return
	case port == 0 || secret == nil:
		e.skip("loop", "turn.port is 0: the running server's port is not known")
		return
	default:
		onHTTPS = e.speaksTURN(ctx)
	}
	username, password := credential.Issue(secret, "doctor", "doctor-"+rand.Text()[:12], e.Now().Add(5*time.Minute))
	for _, addr := range addrs {
		at := netip.AddrPortFrom(addr, port)
		e.loop(ctx, "udp", turnclient.Target{Network: turnclient.UDP, Address: at}, username, password)
		e.loop(ctx, "tcp", turnclient.Target{Network: turnclient.TCP, Address: at}, username, password)
		if onHTTPS {
			https := netip.AddrPortFrom(addr, uint16(e.Config.Listen.HTTPSPort))
			e.loop(ctx, "https port", turnclient.Target{Network: turnclient.TCP, Address: https}, username, password)
			e.loop(ctx, "tls", turnclient.Target{Network: turnclient.TLS, Address: https, TLS: &tls.Config{
				MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // the certificate has its own checks
				NextProtos: []string{"stun.turn"},
			}}, username, password)
		}
	}
}

// lend runs a relay on the configured port for as long as ctx lasts.
func (e *exam) lend(ctx context.Context, addrs []netip.Addr, secret *[]byte) (port uint16, err error) {
	if *secret == nil { // of a server that was never started
		*secret = []byte(rand.Text() + rand.Text())
	}
	c := e.Config.TURN
	listeners, err := turnsrv.Open(ctx, addrs[:1], uint16(c.Port))
	if err != nil {
		return 0, err
	}
	port = listeners[0].UDP.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if len(addrs) > 1 {
		more, err := turnsrv.Open(ctx, addrs[1:], port)
		if err != nil {
			return 0, err
		}
		listeners = append(listeners, more...)
	}
	relay, err := turnsrv.New(turnsrv.Config{
		Realm: c.Realm, Secret: *secret, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Listeners: listeners,
		Relay:  turnsrv.PortRange{Min: uint16(c.RelayPorts.Min), Max: uint16(c.RelayPorts.Max)},
		Policy: turnsrv.Policy{AllowLoopback: c.AllowLoopbackPeers},
		Path:   turnsrv.PathUser,
	})
	if err != nil {
		return 0, err
	}
	e.after = append(e.after, relay.Close)
	return port, nil
}

// speaksTURN asks the HTTPS port for STUN (RFC 8489): a server may be told not to.
func (e *exam) speaksTURN(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	name := strings.TrimPrefix(e.running.base, "https://")
	at, err := netip.ParseAddrPort(name)
	if err != nil {
		return false
	}
	client, err := turnclient.Dial(ctx, turnclient.Target{Network: turnclient.TCP, Address: at})
	if err != nil {
		return false
	}
	defer client.Close()
	_, err = client.Bind(ctx)
	return err == nil
}

// loop tells what became of packets that one client of the relay sent to another.
func (e *exam) loop(ctx context.Context, name string, target turnclient.Target, username, password string) {
	ctx, cancel := context.WithTimeout(ctx, loopTimeout)
	defer cancel()
	name = "loop " + name
	pair, err := turnclient.DialPair(ctx, target, username, password)
	if err != nil {
		text, hint := e.explain(target, err)
		e.fail(name, hint, "%s", text)
		return
	}
	defer pair.Close()
	outcome, err := turnclient.Exchange(ctx, pair.From, pair.To, turnclient.Load{Packets: loopPackets, Bytes: loopBytes, Every: loopEvery, Wait: time.Second})
	if err != nil && outcome.Received == 0 {
		e.fail(name, "The server's log says why.", "%s: %v", target, err)
		return
	}
	check := checkup.Check{
		Name: name, State: checkup.OK, MS: float64(outcome.Median.Microseconds()) / 1000,
		Text: fmt.Sprintf("%s: %d of %d packets from relay port to relay port", target, outcome.Received, outcome.Sent),
		Data: map[string]any{"sent": outcome.Sent, "received": outcome.Received, "longest_ms": float64(outcome.Longest.Microseconds()) / 1000},
	}
	switch {
	case outcome.Received == 0:
		check.State = checkup.Failed
		check.Hint = fmt.Sprintf("Let UDP between the relay ports %s of this machine through its own firewall (also on the loopback interface).", e.Config.TURN.RelayPorts)
	case outcome.Loss() > loopLoss:
		check.State = checkup.Warning
		check.Hint = "Look at the load of this machine, and at the UDP buffers (machine)."
	}
	e.add(check)
}

// explain makes of an error what happened and what to do.
func (e *exam) explain(target turnclient.Target, err error) (text, hint string) {
	var refusal *turnclient.Error
	if errors.As(err, &refusal) {
		text = fmt.Sprintf("%s refuses %s with %d %s", target, refusal.Method, refusal.Code, refusal.Reason)
		switch refusal.Code {
		case 400, 401, 441:
			return text, "The running server has another secret or realm than these settings: restart it, or give the doctor the settings that it was started with. A clock that jumped does the same."
		case 403:
			return text, "Peers of this address are not allowed: see turn.peers, and turn.allow_loopback_peers for tests on 127.0.0.1."
		case 486:
			return text, "All of its quota is used: raise turn.max_allocations, or see the dashboard for who uses it."
		case 508:
			return text, "No relay port is free: widen turn.relay_ports, and open it in the firewall."
		}
		return text, "The server's log says why."
	}
	switch turnclient.Failure(err) {
	case "timeout":
		return fmt.Sprintf("%s does not answer", target), "Let the port through this machine's own firewall; if it is open, the server's log says why."
	case "refused":
		return fmt.Sprintf("%s refuses", target), "Nothing listens there: restart the server; its log says why."
	}
	return fmt.Sprintf("%s: %v", target, err), "The server's log says why."
}
