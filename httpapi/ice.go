package httpapi

import (
	"fmt"
	"net/netip"

	"fieldphone/turnsrv/credential"

	"github.com/gofiber/fiber/v2"
)

// ICEConfig says how clients reach the STUN/TURN server.
type ICEConfig struct {
	Secret   []byte // shared with the relay
	Port     uint16
	Segments []Segment
	// Relay is where a client that reached this server by an address finds the
	// relay now; false if nowhere.
	Relay func(reached netip.Addr) (netip.Addr, bool)
}

// Segment overrides, for the clients in it, the address that they came by.
type Segment struct {
	Clients   []netip.Prefix
	Addresses []netip.AddrPort
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

func (a *App) ice(c *fiber.Ctx) error {
	session := sessionOf(c)
	username, password := credential.Issue(a.cfg.ICE.Secret, session.UserID, session.ID, session.ExpiresAt)
	var stun, turn []string
	for _, addr := range a.cfg.ICE.reachable(remote(c), local(c)) {
		stun = append(stun, fmt.Sprintf("stun:%s", addr))
		turn = append(turn, fmt.Sprintf("turn:%s?transport=udp", addr), fmt.Sprintf("turn:%s?transport=tcp", addr))
	}
	servers := []iceServer{}
	if len(turn) > 0 {
		servers = append(servers, iceServer{URLs: stun}, iceServer{URLs: turn, Username: username, Credential: password})
	}
	return c.JSON(fiber.Map{"iceServers": servers, "expires_at": session.ExpiresAt.Unix()})
}

// reachable lists where a client finds the relay: at its segment's addresses,
// else at the very address that it reached this server by, or the nearest to it. Only addresses
// that are known to work are given: each other one would cost the client
// seconds of gathering.
func (cfg ICEConfig) reachable(client, reached netip.Addr) []netip.AddrPort {
	for _, s := range cfg.Segments {
		for _, prefix := range s.Clients {
			if prefix.Contains(client) {
				return s.Addresses
			}
		}
	}
	addr, ok := cfg.Relay(reached)
	if !ok {
		return nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(addr, cfg.Port)}
}
