package main

import (
	"net/http"

	"fieldphone/httpapi"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collector reads the counters of the rooms when /metrics is asked.
type collector struct {
	turn  func() turnsrv.Stats
	hub   func() hub.Stats
	conns *httpapi.ConnLimits
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
	c.collectTURN(m)
	c.collectHub(m)
	m.counter("http_connections_refused_total", "Connections closed for being too many.", c.conns.Refused())
}

func (c collector) collectTURN(m sink) {
	s := c.turn()
	m.gauge("turn_allocations", "TURN allocations open now.", s.Allocations)
	m.counter("turn_allocations_created_total", "TURN allocations created.", s.AllocationsCreated)
	refused := "turn_allocations_refused_total"
	help := "TURN allocations refused, by reason."
	r := s.AllocationsRefused
	m.counter(refused, help, r.Quota, "reason", "quota")
	m.counter(refused, help, r.Expired, "reason", "expired")
	m.counter(refused, help, r.Ports, "reason", "ports")
	m.counter(refused, help, r.Transport, "reason", "transport")
	m.counter(refused, help, r.Ended, "reason", "session_ended")
	m.gauge("turn_relay_ports_used", "Relay ports in use now.", s.RelayPorts.Used)
	m.gauge("turn_relay_ports_free", "Relay ports free now.", s.RelayPorts.Free)
	m.gauge("turn_relay_ports_peak", "Most relay ports in use at once since start.", s.RelayPorts.Peak)
	for side, t := range map[string]turnsrv.Traffic{"udp": s.UDP, "tcp": s.TCP, "peer": s.Relay} {
		m.counter("turn_packets_total", "Packets by side and direction.", t.PacketsIn, "side", side, "direction", "in")
		m.counter("turn_packets_total", "Packets by side and direction.", t.PacketsOut, "side", side, "direction", "out")
		m.counter("turn_bytes_total", "Payload bytes by side and direction.", t.BytesIn, "side", side, "direction", "in")
		m.counter("turn_bytes_total", "Payload bytes by side and direction.", t.BytesOut, "side", side, "direction", "out")
		m.counter("turn_send_errors_total", "Packets that could not be sent, by side.", t.SendErrors, "side", side)
	}
	f := s.AuthFailures
	for reason, n := range map[string]int64{
		"username": f.Username, "realm": f.Realm, "expired": f.Expired, "lifetime": f.Lifetime, "revoked": f.Revoked, "password": f.Password,
	} {
		m.counter("turn_auth_failures_total", "TURN requests with bad credentials, by reason.", n, "reason", reason)
	}
	m.counter("turn_malformed_total", "Datagrams and frames that are neither STUN nor ChannelData.", s.Malformed)
	m.counter("turn_oversized_total", "Packets too large to relay.", s.Oversized)
	m.counter("turn_peers_refused_total", "Permissions and channels refused by the peer policy.", s.PeersRefused)
	m.counter("turn_peer_packets_dropped_total", "Packets dropped at relay ports by the peer policy.", s.PeerPackets)
	m.gauge("turn_tcp_connections", "TURN connections over TCP open now.", s.TCPConnections.Open)
	m.counter("turn_tcp_connections_refused_total", "TURN connections over TCP refused by the limits.", s.TCPConnections.Refused)
	m.counter("turn_tcp_connections_idle_total", "TURN connections over TCP closed for silence.", s.TCPConnections.Idle)
	m.gauge("turn_revoked_sessions", "Ended sessions whose credentials are refused.", s.RevokedSessions)
	m.gauge("turn_listeners", "STUN/TURN sockets open now.", s.Listeners)
}

func (c collector) collectHub(m sink) {
	s := c.hub()
	m.gauge("signalling_connections", "Signalling connections open now.", s.ConnectionsNow)
	m.gauge("signalling_devices", "Devices attached or within their resume window.", s.DevicesNow)
	m.gauge("presence_people", "People online on all nodes.", s.PeopleNow)
	m.gauge("calls", "Calls ringing or active now.", s.CallsNow)
	m.counter("signalling_frames_total", "Frames by direction.", s.Received, "direction", "in")
	m.counter("signalling_frames_total", "Frames by direction.", s.Sent, "direction", "out")
	m.counter("texts_total", "Texts delivered.", s.Texts)
	m.counter("signalling_slow_total", "Connections closed for not reading.", s.Slow)
	m.counter("signalling_silent_total", "Connections closed for not answering pings.", s.Silent)
	for code, n := range s.Refused {
		m.counter("signalling_refused_total", "Messages refused, by code.", int64(n), "code", string(code))
	}
	for reason, n := range s.Ended {
		m.counter("calls_ended_total", "Calls ended, by reason.", int64(n), "reason", string(reason))
	}
}

type sink struct{ ch chan<- prometheus.Metric }

func (m sink) gauge(name, help string, value int64) {
	m.send(prometheus.GaugeValue, name, help, value, nil)
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
