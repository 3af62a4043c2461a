package main

import (
	"maps"
	"net/http"
	"net/netip"
	"strconv"

	"fieldphone/httpapi"
	"fieldphone/httpapi/account"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collector reads the counters of the rooms when /metrics is asked. Counters
// by label are there from the start where their labels are known, so that the
// first event is seen as an increase.
type collector struct {
	turn     func() turnsrv.Stats
	ports    func() []turnsrv.PortUse
	hub      func() hub.Stats
	app      func() httpapi.Stats
	book     *peerBook
	calls    *callMetrics
	conns    *httpapi.ConnLimits
	warnings func() []httpapi.Warning
}

// metrics are those of the whole server.
func (s *server) metrics() http.Handler {
	return newMetrics(collector{
		turn: s.turn.Stats, ports: s.turn.Ports, hub: s.hub.Stats, app: func() httpapi.Stats { return s.app.Stats() },
		book: s.book, calls: s.calls, conns: s.conns, warnings: s.watch.Warnings,
	})
}

// segmentOf names the segment of a client.
func (s *server) segmentOf(client netip.Addr) (name string, ok bool) {
	found, ok := s.segments.Load().Find(client)
	return found.Name, ok
}

func newMetrics(c collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Describe implements prometheus.Collector; what comes is known only when
// collected.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	m := sink{ch}
	turn := c.turn()
	collectAllocations(m, turn)
	collectTraffic(m, turn)
	collectTURNRefusals(m, turn)
	c.collectPorts(m)
	signalling := c.hub()
	collectSignalling(m, signalling)
	collectCalls(m, signalling)
	c.collectApp(m)
	c.calls.Collect(ch)
}

func collectAllocations(m sink, s turnsrv.Stats) {
	m.gauge("turn_allocations", "TURN allocations open now.", s.Allocations)
	m.counter("turn_allocations_created_total", "TURN allocations created.", s.AllocationsCreated)
	r := s.AllocationsRefused
	for reason, n := range map[string]int64{
		"quota": r.Quota, "total": r.Total, "expired": r.Expired, "ports": r.Ports, "transport": r.Transport, "session_ended": r.Ended,
	} {
		m.counter("turn_allocations_refused_total", "TURN allocations refused, by reason.", n, "reason", reason)
	}
	m.gauge("turn_tcp_connections", "TURN connections over TCP and TLS open now.", s.TCPConnections.Open)
	m.counter("turn_tcp_connections_refused_total", "TURN connections over TCP refused by the limits.", s.TCPConnections.Refused)
	m.counter("turn_tcp_connections_idle_total", "TURN connections over TCP closed for silence.", s.TCPConnections.Idle)
	m.gauge("turn_revoked_sessions", "Ended sessions whose credentials are refused.", s.RevokedSessions)
	m.gauge("turn_listeners", "STUN/TURN sockets open now.", s.Listeners)
}

func collectTraffic(m sink, s turnsrv.Stats) {
	for side, t := range map[string]turnsrv.Traffic{"udp": s.UDP, "tcp": s.TCP, "tls": s.TLS, "peer": s.Relay} {
		packets, bytes := "Packets by side (a client's transport, or peer) and direction.", "Payload by side (a client's transport, or peer) and direction."
		m.counter("turn_packets_total", packets, t.PacketsIn, "side", side, "direction", "in")
		m.counter("turn_packets_total", packets, t.PacketsOut, "side", side, "direction", "out")
		m.counter("turn_bytes_total", bytes, t.BytesIn, "side", side, "direction", "in")
		m.counter("turn_bytes_total", bytes, t.BytesOut, "side", side, "direction", "out")
		m.counter("turn_send_errors_total", "Packets that could not be sent, by side.", t.SendErrors, "side", side)
	}
	m.counter("turn_kernel_packets_total", "Packets with peers that the kernel has forwarded by itself.", s.KernelPackets)
	help := "Packets dropped for exceeding a bandwidth, by direction."
	m.counter("turn_bandwidth_dropped_packets_total", help, s.Limited.FromClients, "direction", "from_client")
	m.counter("turn_bandwidth_dropped_packets_total", help, s.Limited.ToClients, "direction", "to_client")
	m.counter("turn_malformed_total", "Datagrams and frames that are neither STUN nor ChannelData.", s.Malformed)
	m.counter("turn_oversized_total", "Packets too large to relay.", s.Oversized)
}

// turnErrorCodes are those of RFC 8489, section 14.8, and RFC 8656, section 19.
var turnErrorCodes = [...]int{400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 446, 486, 500, 508}

// withZeros adds the keys that have not been counted yet, so that their first
// count is seen as a rise.
func withZeros[K comparable](keys []K, counts map[K]int64) map[K]int64 {
	all := make(map[K]int64, len(keys))
	for _, key := range keys {
		all[key] = 0
	}
	maps.Copy(all, counts)
	return all
}

func collectTURNRefusals(m sink, s turnsrv.Stats) {
	for code, n := range withZeros(turnErrorCodes[:], s.Errors) {
		m.counter("turn_errors_total", "STUN and TURN error responses sent, by code.", n, "code", strconv.Itoa(code))
	}
	f := s.AuthFailures
	for reason, n := range map[string]int64{
		"username": f.Username, "realm": f.Realm, "expired": f.Expired, "lifetime": f.Lifetime, "revoked": f.Revoked, "password": f.Password,
	} {
		m.counter("turn_auth_failures_total", "TURN requests with bad credentials, by reason.", n, "reason", reason)
	}
	for kind, n := range map[string]int64{"binding": s.Limited.Bindings, "allocate": s.Limited.Allocates, "challenge": s.Limited.Challenges} {
		m.counter("turn_limited_requests_total", "Requests dropped for exceeding the rate of their source, by kind.", n, "kind", kind)
	}
	m.counter("turn_peers_refused_total", "Permissions and channels refused by the peer policy.", s.PeersRefused)
	for reason, n := range map[string]int64{"policy": s.PeerPackets, "unanswered": s.Unanswered} {
		m.counter("turn_peer_packets_dropped_total", "Packets from or to peers that were dropped, by reason.", n, "reason", reason)
	}
}

func (c collector) collectPorts(m sink) {
	for _, use := range c.ports() {
		address := use.Address.String()
		for state, n := range map[string]int{"used": use.Used, "free": use.Free, "taken": use.Taken, "outside": use.Outside} {
			m.gauge("turn_relay_ports", "Relay ports by local address and state; outside are in use out of the present range.", int64(n), "address", address, "state", state)
		}
		m.gauge("turn_relay_ports_peak", "Most relay ports in use at once since start, by local address.", int64(use.Peak), "address", address)
		m.counter("turn_relay_ports_refused_total", "Requests that got no relay port, by local address.", use.Refused, "address", address)
	}
}

func collectSignalling(m sink, s hub.Stats) {
	m.gauge("signalling_connections", "Signalling connections open now.", s.ConnectionsNow)
	m.gauge("signalling_devices", "Devices attached or within their resume window.", s.DevicesNow)
	m.gauge("presence_people", "People online on all nodes.", s.PeopleNow)
	m.counter("signalling_frames_total", "Frames by direction.", s.Received, "direction", "in")
	m.counter("signalling_frames_total", "Frames by direction.", s.Sent, "direction", "out")
	m.gauge("signalling_inbox_length", "Work waiting for the hub.", s.InboxNow)
	m.gauge("signalling_inbox_peak", "Most work that ever waited for the hub.", s.InboxPeak)
	m.gauge("signalling_outbox_peak", "Most frames ever kept for one device until it has seen them.", s.OutboxPeak)
	m.counter("texts_total", "Texts delivered.", s.Texts)
	m.counter("signalling_slow_total", "Connections closed for not reading.", s.Slow)
	m.counter("signalling_silent_total", "Connections closed for not answering pings.", s.Silent)
	for code, n := range s.Refused {
		m.counter("signalling_refused_total", "Messages refused, by code.", int64(n), "code", string(code))
	}
}

func collectCalls(m sink, s hub.Stats) {
	m.gauge("calls", "Calls ringing or active now.", s.CallsNow)
	for _, reason := range rtc.EndReasons() {
		m.counter("calls_ended_total", "Calls ended, by reason.", int64(s.Ended[reason]), "reason", string(reason))
	}
	for _, state := range []hub.RunState{hub.RunDone, hub.RunGone, hub.RunExpired} {
		m.counter("path_tests_total", "Runs of path tests that an administrator asked for, by how they ended.", int64(s.PathRuns[state]), "state", string(state))
	}
	for outcome, n := range s.Legs {
		m.counter("path_legs_total", "Legs that path tests tested, by state.", int64(n), "leg", string(outcome.Leg), "state", string(outcome.State))
	}
}

// signInCodes are the answers to those who could not prove who they are.
var signInCodes = [...]string{
	account.CodeWrongCredentials, account.CodeUserDisabled, account.CodeRateLimited,
	account.CodeUnauthenticated, account.CodeSessionExpired, account.CodeSessionRevoked,
}

func (c collector) collectApp(m sink) {
	s := c.app()
	for code, n := range withZeros(signInCodes[:], s.Refused) {
		m.counter("http_refused_total", "Requests refused, by code.", n, "code", code)
	}
	m.gauge("signalling_send_queue_peak", "Most sends that ever waited for one connection.", s.SendQueuePeak)
	m.counter("http_connections_refused_total", "Connections closed for being too many.", c.conns.Refused())
	sessions, pairs, addresses, full := c.book.counts()
	for kind, n := range map[string]int64{"session": sessions, "pair": pairs, "address": addresses} {
		m.gauge("peer_book_entries", "What the relay knows of signed-in clients, by kind.", n, "kind", kind)
	}
	m.counter("peer_book_refused_total", "Entries refused for want of room.", full)
	count := make(map[string]int64)
	for _, warning := range c.warnings() {
		count[warning.Code]++
	}
	total := int64(0)
	for code, n := range count {
		total += n
		m.gauge("warning", "What an administrator should look at now, by code; the dashboard says more.", n, "code", code)
	}
	m.gauge("warnings", "How many things an administrator should look at now.", total)
}

type sink struct{ ch chan<- prometheus.Metric }

// gauge takes labels as counter does.
func (m sink) gauge(name, help string, value int64, labels ...string) {
	m.send(prometheus.GaugeValue, name, help, value, labels)
}

// counter takes labels as name, value, name, value.
func (m sink) counter(name, help string, value int64, labels ...string) {
	m.send(prometheus.CounterValue, name, help, value, labels)
}

func (m sink) send(kind prometheus.ValueType, name, help string, value int64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	desc := prometheus.NewDesc("fieldphone_"+name, help, names, nil)
	m.ch <- prometheus.MustNewConstMetric(desc, kind, float64(value), values...)
}
