package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v4"
)

const turnDialTimeout = 5 * time.Second

// The codecs that every browser offers (RFC 7874, RFC 7742) and their usual
// payload types.
const (
	opusPayloadType = 111
	opusClock       = 48000 // Hz, RFC 7587
	vp8PayloadType  = 96
	videoClock      = 90000 // Hz, RFC 7741
)

// newPeerConnection makes an RTCPeerConnection for one generation of a call.
// There are no retransmissions, so that a lost packet is counted as lost.
func newPeerConnection(ctx context.Context, p *Peer, servers []iceServer) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := registerCodecs(media); err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(interceptors); err != nil {
		return nil, fmt.Errorf("set up RTCP reports: %w", err)
	}
	dialer := &turnDialer{ctx: ctx, dialer: p.api.dialer, tls: p.api.tls, secure: map[string]bool{}}
	config := webrtc.Configuration{ICEServers: usable(servers, p.cfg.ICE.Server, dialer, p.log)}
	if p.cfg.ICE.RelayOnly {
		config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings(p, dialer)))
	pc, err := api.NewPeerConnection(config)
	if err != nil {
		return nil, fmt.Errorf("make an RTCPeerConnection: %w", err)
	}
	return pc, nil
}

func registerCodecs(media *webrtc.MediaEngine) error {
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: opusClock, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		},
		PayloadType: opusPayloadType,
	}
	vp8 := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: videoClock,
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack", Parameter: "pli"}},
		},
		PayloadType: vp8PayloadType,
	}
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return fmt.Errorf("register Opus: %w", err)
	}
	if err := media.RegisterCodec(vp8, webrtc.RTPCodecTypeVideo); err != nil {
		return fmt.Errorf("register VP8: %w", err)
	}
	return nil
}

func settings(p *Peer, dialer *turnDialer) webrtc.SettingEngine {
	s := webrtc.SettingEngine{LoggerFactory: pionLogs{p.log}}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// TCP is for the way to a relay; host candidates are of UDP.
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4})
	s.DisableActiveTCP(true)
	s.SetICEProxyDialer(dialer)
	// The server says when a call is over; only its goroutine closes a connection.
	s.DisableCloseByDTLS(true)
	s.SetIncludeLoopbackCandidate(p.cfg.ICE.Loopback)
	if keep := p.cfg.ICE.Interface; keep != nil {
		s.SetInterfaceFilter(keep)
	}
	if keep := p.cfg.ICE.Address; keep != nil {
		s.SetIPFilter(func(ip net.IP) bool {
			addr, ok := netip.AddrFromSlice(ip)
			return ok && keep(addr.Unmap())
		})
	}
	return s
}

// usable keeps the URLs that the configuration wants and pion can use, and tells
// the dialer which of them speak TLS.
func usable(servers []iceServer, keep func(string) bool, dialer *turnDialer, log *slog.Logger) []webrtc.ICEServer {
	var list []webrtc.ICEServer
	plain := map[string]bool{}
	for _, s := range servers {
		var urls []string
		for _, address := range s.URLs {
			uri, err := stun.ParseURI(address)
			if err != nil {
				log.Warn("peer: an ICE URL was not understood", "url", address, "error", err)
				continue
			}
			if keep != nil && !keep(address) {
				continue
			}
			hostPort := net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port))
			if uri.Proto == stun.ProtoTypeTCP {
				secure := uri.Scheme == stun.SchemeTypeTURNS
				if secure && plain[hostPort] || !secure && dialer.secure[hostPort] {
					log.Debug("peer: an ICE URL is left out, its port is used with and without TLS", "url", address)
					continue
				}
				dialer.secure[hostPort], plain[hostPort] = secure, !secure
			}
			urls = append(urls, address)
		}
		if len(urls) > 0 {
			list = append(list, webrtc.ICEServer{URLs: urls, Username: s.Username, Credential: s.Credential})
		}
	}
	return list
}

// turnDialer connects to relays over TCP and TLS, from the local address and
// with the certificate authorities of the Peer. Pion calls it a proxy.
type turnDialer struct {
	ctx    context.Context
	dialer *net.Dialer
	tls    *tls.Config
	secure map[string]bool // by host and port; only read once the connection is made
}

// Dial implements the interface that pion wants.
func (d *turnDialer) Dial(_, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, turnDialTimeout)
	defer cancel()
	if d.secure[address] {
		return (&tls.Dialer{NetDialer: d.dialer, Config: d.tls}).DialContext(ctx, "tcp", address)
	}
	return d.dialer.DialContext(ctx, "tcp", address)
}
