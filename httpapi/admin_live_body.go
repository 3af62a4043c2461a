package httpapi

import (
	"net/netip"

	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
)

type liveBody struct {
	ServerTime  int64            `json:"server_time"` // Unix milliseconds, as all times here
	Node        string           `json:"node"`
	Version     string           `json:"version"`
	UptimeS     int64            `json:"uptime_s"`
	People      []personBody     `json:"people"`
	Calls       []callBody       `json:"calls"`
	Allocations []allocationBody `json:"allocations"`
	Ports       []PortUse        `json:"ports"`
	Forecast    Forecast         `json:"forecast"`
	Segments    []segmentBody    `json:"segments"`
	LeftOut     []leftOutBody    `json:"left_out"`
	Nodes       []nodeBody       `json:"nodes"`
	Warnings    []Warning        `json:"warnings"`
}

type personBody struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Guest   bool         `json:"guest"`
	Admin   bool         `json:"admin"`
	Status  rtc.Status   `json:"status"`
	Devices []deviceBody `json:"devices"`
}

type deviceBody struct {
	Device    string          `json:"device"`
	Session   string          `json:"session"`
	Address   string          `json:"address"`
	Segment   string          `json:"segment"`
	Transport string          `json:"transport"`
	Since     int64           `json:"since"`
	Away      bool            `json:"away,omitempty"`
	Path      *devicePathBody `json:"path,omitempty"`
}

type devicePathBody struct {
	At       int64              `json:"at"`
	Legs     []rtc.Leg          `json:"legs"`
	Findings []pathtest.Finding `json:"findings"`
}

type callBody struct {
	Call    string        `json:"call"`
	State   rtc.CallState `json:"state"`
	Media   rtc.Media     `json:"media"`
	Since   int64         `json:"since"`
	Started int64         `json:"started,omitempty"`
	Ends    []endBody     `json:"ends"`
}

type endBody struct {
	User    whoBody      `json:"user"`
	Device  string       `json:"device"`
	Address string       `json:"address"`
	Segment string       `json:"segment"`
	Report  *reportBody  `json:"report,omitempty"`
	Samples []sampleBody `json:"samples"`
}

type reportBody struct {
	sampleBody
	Path rtc.Path `json:"path"`
}

type sampleBody struct {
	At       int64   `json:"at"`
	RTTMS    float64 `json:"rtt_ms"`
	Loss     float64 `json:"loss"`
	UpKbps   float64 `json:"up_kbps"`
	DownKbps float64 `json:"down_kbps"`
}

type allocationBody struct {
	ID        uint64           `json:"id"`
	User      string           `json:"user"`
	Session   string           `json:"session"`
	Client    netip.AddrPort   `json:"client"`
	Server    netip.AddrPort   `json:"server"`
	Relayed   netip.AddrPort   `json:"relayed"`
	Transport string           `json:"transport"`
	Peers     []netip.AddrPort `json:"peers"`
	Created   int64            `json:"created"`
	Expires   int64            `json:"expires"`
	Outside   bool             `json:"outside"`
	UpKbps    float64          `json:"up_kbps"`
	DownKbps  float64          `json:"down_kbps"`
	BytesUp   int64            `json:"bytes_up"`
	BytesDown int64            `json:"bytes_down"`
	Dropped   int64            `json:"dropped"`
}

type segmentBody struct {
	Name            string              `json:"name"`
	Clients         []netip.Prefix      `json:"clients"`
	ServerAddresses []netip.Addr        `json:"server_addresses"`
	TURNAddresses   []string            `json:"turn_addresses"`
	Transports      []segment.Transport `json:"transports"`
	Derived         bool                `json:"derived"`
	Interface       string              `json:"interface,omitempty"`
	People          int                 `json:"people"`
	Calls           int                 `json:"calls"`
}

type leftOutBody struct {
	Interface string         `json:"interface"`
	Segment   string         `json:"segment,omitempty"`
	Address   netip.Prefix   `json:"address"`
	Reason    segment.Reason `json:"reason"`
}

type nodeBody struct {
	Node   string `json:"node"`
	Self   bool   `json:"self"`
	People int    `json:"people"`
}
