package peer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v4"
)

// The codecs that every browser offers (RFC 7874, RFC 7742) and their usual
// payload types.
const (
	opusPayloadType = 111
	opusClock       = 48000 // Hz, RFC 7587
	vp8PayloadType  = 96
	videoClock      = 90000 // Hz, RFC 7741
)

// newPeerConnection makes an RTCPeerConnection for one generation of a call,
// and the network that it reaches relays through. Only a mirror asks for lost
// packets again and sends them again: elsewhere a lost packet is counted as lost.
func newPeerConnection(ctx context.Context, p *Peer, servers []iceServer, wanted wanted) (*webrtc.PeerConnection, *relayNet, error) {
	media := &webrtc.MediaEngine{}
	if err := registerCodecs(media); err != nil {
		return nil, nil, err
	}
	interceptors := &interceptor.Registry{}
	configure := func() error { return webrtc.ConfigureRTCPReports(interceptors) }
	if p.cfg.Mirror > 0 {
		configure = func() error { return webrtc.RegisterDefaultInterceptors(media, interceptors) }
	}
	if wanted.feed != nil { // one track to many: what pion does by default costs more than all the rest
		configure = func() error { return nil }
	}
	if err := configure(); err != nil {
		return nil, nil, fmt.Errorf("set up RTCP: %w", err)
	}
	relays, err := newRelayNet(ctx, p.network.dialer, p.network.tls)
	if err != nil {
		return nil, nil, err
	}
	config := webrtc.Configuration{ICEServers: usable(servers, p.cfg.ICE.Server, relays, p.log)}
	if wanted.feed != nil {
		config.Certificates = wanted.feed.certs
	}
	if p.cfg.ICE.RelayOnly {
		config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	engine := settings(p, relays)
	closeSockets, err := useSockets(&engine, p, wanted.feed)
	if err != nil {
		return nil, nil, err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(engine))
	pc, err := api.NewPeerConnection(config)
	if err != nil {
		closeSockets()
		return nil, nil, fmt.Errorf("make an RTCPeerConnection: %w", err)
	}
	context.AfterFunc(ctx, closeSockets)
	return pc, relays, nil
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

func settings(p *Peer, relays *relayNet) webrtc.SettingEngine {
	s := webrtc.SettingEngine{LoggerFactory: pionLogs{p.log}}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetNet(relays)
	// The server says when a call is over; only its goroutine closes a connection.
	s.DisableCloseByDTLS(true)
	if p.cfg.ICE.RelayOnly { // no better pair can come
		s.SetRelayAcceptanceMinWait(0)
		s.SetPrflxAcceptanceMinWait(0)
	}
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

// useSockets gives the engine the sockets that the configuration opens, if it
// does, and returns what closes them.
func useSockets(engine *webrtc.SettingEngine, p *Peer, shared *Broadcast) (closeAll func(), err error) {
	if shared != nil {
		engine.SetICEUDPMux(shared.mux)
		return func() {}, nil
	}
	if p.cfg.ICE.Sockets == nil {
		return func() {}, nil
	}
	sockets, err := p.cfg.ICE.Sockets()
	if err != nil {
		return nil, fmt.Errorf("open sockets for candidates: %w", err)
	}
	mux := muxOf(sockets, p.log)
	engine.SetICEUDPMux(mux)
	return func() {
		if err := mux.Close(); err != nil {
			p.log.Debug("peer: a socket did not close cleanly", "error", err)
		}
		for _, socket := range sockets {
			_ = socket.Close()
		}
	}, nil
}

// muxOf lets many connections use the same sockets.
func muxOf(sockets []net.PacketConn, log *slog.Logger) *ice.MultiUDPMuxDefault {
	muxes := make([]ice.UDPMux, len(sockets))
	for i, socket := range sockets {
		muxes[i] = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: pionLogs{log}.NewLogger("ice")})
	}
	return ice.NewMultiUDPMuxDefault(muxes...)
}

// usable keeps the URLs that the configuration wants and pion can use.
func usable(servers []iceServer, keep func(string) bool, relays *relayNet, log *slog.Logger) []webrtc.ICEServer {
	var list []webrtc.ICEServer
	for _, s := range servers {
		var urls []string
		for _, address := range s.URLs {
			uri, err := stun.ParseURI(address)
			if err != nil {
				log.Warn("peer: an ICE URL was not understood", "url", address, "error", err)
			} else if keep == nil || keep(address) {
				urls = append(urls, relays.disguise(uri).String())
			}
		}
		if len(urls) > 0 {
			list = append(list, webrtc.ICEServer{URLs: urls, Username: s.Username, Credential: s.Credential})
		}
	}
	return list
}
