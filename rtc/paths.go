package rtc

import "encoding/json"

// Candidate is the type of an ICE candidate (RFC 8445, section 4).
type Candidate string

// The types of candidates.
const (
	Host            Candidate = "host"
	ServerReflexive Candidate = "srflx"
	PeerReflexive   Candidate = "prflx"
	Relayed         Candidate = "relay"
)

// Path is the selected candidate pair of a call, as one end sees it.
type Path struct {
	Local         Candidate `json:"local"`
	Remote        Candidate `json:"remote"`
	Protocol      string    `json:"protocol"`                 // udp or tcp
	RelayProtocol string    `json:"relay_protocol,omitempty"` // udp, tcp or tls, from this end to the relay
	Relay         string    `json:"relay,omitempty"`          // this end's relayed transport address
	RemoteRelay   string    `json:"remote_relay,omitempty"`   // the other end's
}

// CallReport says how the media of a call fare at one end.
type CallReport struct {
	Call     string  `json:"call"`
	Gen      int     `json:"gen"`
	Path     Path    `json:"path"`
	SetupMS  int64   `json:"setup_ms,omitempty"` // from call.started to connected media, in the first report
	RTTMS    float64 `json:"rtt_ms"`
	Loss     float64 `json:"loss"`      // of what this end should have received, 0 to 1
	UpKbps   float64 `json:"up_kbps"`   // kbit/s sent
	DownKbps float64 `json:"down_kbps"` // kbit/s received
}

// TestKind says what a path test tests.
type TestKind string

// One device tests its legs to the server, or two devices those between them.
const (
	TestSelf TestKind = "self"
	TestPair TestKind = "pair"
)

// Transport is a way for media between two devices.
type Transport string

// The transports of a pair test. RelayHTTPS is plain TURN over TCP on the
// HTTPS port.
const (
	Direct     Transport = "direct"
	RelayUDP   Transport = "relay_udp"
	RelayTCP   Transport = "relay_tcp"
	RelayTLS   Transport = "relay_tls"
	RelayHTTPS Transport = "relay_https"
)

// Transports lists every transport, in the order in which they are tried.
func Transports() []Transport { return []Transport{Direct, RelayUDP, RelayTCP, RelayTLS, RelayHTTPS} }

// PathRun asks a device to run a path test. Peer, Role and Transports belong
// to a pair test.
type PathRun struct {
	Test       string      `json:"test"`
	Kind       TestKind    `json:"kind"`
	Peer       *User       `json:"peer,omitempty"`
	Role       Role        `json:"role,omitempty"`
	Transports []Transport `json:"transports,omitempty"`
}

// PathSignal carries what the two devices of a pair test say to each other.
type PathSignal struct {
	Test    string          `json:"test"`
	Payload json.RawMessage `json:"payload"`
}

// PathResult tells what a path test found. Test is empty when the user ran it
// alone.
type PathResult struct {
	Test string `json:"test"`
	Legs []Leg  `json:"legs"`
}

// LegName is one thing that a path test tests.
type LegName string

// The legs.
const (
	LegClock          LegName = "clock"
	LegTLS            LegName = "tls"
	LegSignalling     LegName = "signalling"
	LegSTUN           LegName = "stun"
	LegTURNUDP        LegName = "turn_udp"
	LegTURNTCP        LegName = "turn_tcp"
	LegTURNTLS        LegName = "turn_tls"
	LegTURNHTTPS      LegName = "turn_https"
	LegThroughput     LegName = "throughput"
	LegPorts          LegName = "ports"
	LegNAT            LegName = "nat"
	LegPairDirect     LegName = "pair_direct"
	LegPairRelayUDP   LegName = "pair_relay_udp"
	LegPairRelayTCP   LegName = "pair_relay_tcp"
	LegPairRelayTLS   LegName = "pair_relay_tls"
	LegPairRelayHTTPS LegName = "pair_relay_https"
)

// LegState is how a leg fared.
type LegState string

// The states of a leg.
const (
	LegOK      LegState = "ok"
	LegSlow    LegState = "slow"
	LegFailed  LegState = "failed"
	LegSkipped LegState = "skipped"
)

// LegCode says why a leg is not ok.
type LegCode string

// The codes of a leg; PROTOCOL.md says what each means.
const (
	LegTimeout        LegCode = "timeout"
	LegRefused        LegCode = "refused"
	LegUnauthorized   LegCode = "unauthorized"
	LegUntrusted      LegCode = "untrusted"
	LegNameUnresolved LegCode = "name_unresolved"
	LegClockOff       LegCode = "clock_off"
	LegFallback       LegCode = "fallback"
	LegLossy          LegCode = "lossy"
	LegTooSlow        LegCode = "slow"
	LegNoCandidate    LegCode = "no_candidate"
	LegPeerGone       LegCode = "peer_gone"
	LegBlockedPorts   LegCode = "blocked_ports"
	LegUnsupported    LegCode = "unsupported"
	LegInternal       LegCode = "internal"
)

// Leg is what a path test found about one leg.
type Leg struct {
	Leg     LegName            `json:"leg"`
	State   LegState           `json:"state"`
	MS      float64            `json:"ms,omitempty"`
	Code    LegCode            `json:"code,omitempty"`
	Target  string             `json:"target,omitempty"`  // for instance 10.77.1.2:3478/udp
	Data    map[string]float64 `json:"data,omitempty"`    // what was measured
	Blocked []int              `json:"blocked,omitempty"` // relay ports that did not answer
}

// Type implements Message.
func (*CallReport) Type() Type { return "call.report" }

// Type implements Message.
func (*PathRun) Type() Type { return "path.run" }

// Type implements Message.
func (*PathSignal) Type() Type { return "path.signal" }

// Type implements Message.
func (*PathResult) Type() Type { return "path.result" }
