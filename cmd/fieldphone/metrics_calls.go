package main

import (
	"net/netip"
	"sync"

	"fieldphone/rtc"
	"fieldphone/rtc/hub"

	"github.com/prometheus/client_golang/prometheus"
)

// maxSegmentLabels bounds the names of segments in metrics: a network that
// comes and goes must not make new ones for ever.
const (
	maxSegmentLabels = 32
	otherSegment     = "other"
)

// callMetrics are made of what the hub tells of single calls.
type callMetrics struct {
	segment func(client netip.Addr) (name string, ok bool)

	paths                          *prometheus.CounterVec
	setup, ring, connect, duration prometheus.Histogram

	mu    sync.Mutex
	names map[string]struct{}
}

func newCallMetrics(segment func(netip.Addr) (string, bool)) *callMetrics {
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "fieldphone_" + name, Help: help, Buckets: buckets})
	}
	return &callMetrics{
		segment: segment,
		paths: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fieldphone_call_paths_total",
			Help: "Calls by the segments of both ends, the types of the selected candidates, and the transport between the caller and what it sends to.",
		}, []string{"caller_segment", "callee_segment", "caller_candidate", "callee_candidate", "protocol"}),
		setup: histogram("call_setup_seconds", "From call.started to connected media, as the devices measured it.",
			0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30),
		ring:     histogram("call_ring_seconds", "From invite to accept.", 1, 2, 5, 10, 20, 30, 45),
		connect:  histogram("call_connect_seconds", "From accept to the first report of media, by the server's clock.", 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30),
		duration: histogram("call_duration_seconds", "From accept to the end, of calls that were answered.", 10, 60, 300, 900, 3600, 14400),
		names:    make(map[string]struct{}),
	}
}

// Collect writes what there is.
func (m *callMetrics) Collect(ch chan<- prometheus.Metric) {
	m.paths.Collect(ch)
	for _, h := range []prometheus.Histogram{m.setup, m.ring, m.connect, m.duration} {
		h.Collect(ch)
	}
}

// connected is hub.Hooks.OnCallConnected.
func (m *callMetrics) connected(c hub.CallConnected) {
	if c.Rang > 0 || c.Connected > 0 {
		m.ring.Observe(c.Rang.Seconds())
		m.connect.Observe(c.Connected.Seconds())
	}
}

// over takes what is known of a call only at its end.
func (m *callMetrics) over(c hub.CallOver) {
	if c.Duration > 0 {
		m.duration.Observe(c.Duration.Seconds())
	}
	for _, end := range c.Ends {
		if end.Setup > 0 {
			m.setup.Observe(end.Setup.Seconds())
		}
	}
	if path, ok := pathOf(c); ok {
		m.paths.WithLabelValues(m.name(c.Ends[0].Link), m.name(c.Ends[1].Link), string(path.Local), string(path.Remote), path.protocol()).Inc()
	}
}

// selected is the path of a call as its caller sees it.
type selected struct{ rtc.Path }

// protocol is the transport that the caller itself speaks: to the relay, if it
// is relayed.
func (s selected) protocol() string {
	switch {
	case s.Local != rtc.Relayed:
		return s.Protocol
	case s.RelayProtocol == "":
		return "relay"
	}
	return "relay_" + s.RelayProtocol
}

// pathOf prefers what the caller reported; the callee sees the same from the
// other side.
func pathOf(c hub.CallOver) (selected, bool) {
	if mine := c.Ends[0].Path; mine != nil {
		return selected{*mine}, true
	}
	theirs := c.Ends[1].Path
	if theirs == nil {
		return selected{}, false
	}
	return selected{rtc.Path{Local: theirs.Remote, Remote: theirs.Local, Protocol: theirs.Protocol}}, true
}

// name is the segment of an end, or other for none and for one too many.
func (m *callMetrics) name(link hub.Link) string {
	name, ok := m.segment(link.Remote.Addr())
	if !ok || name == "" {
		return otherSegment
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.names[name]; !known {
		if len(m.names) >= maxSegmentLabels {
			return otherSegment
		}
		m.names[name] = struct{}{}
	}
	return name
}
