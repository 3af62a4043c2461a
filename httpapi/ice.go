package httpapi

import (
	"net/netip"

	"fieldphone/httpapi/segment"
	"fieldphone/turnsrv/credential"

	"github.com/gofiber/fiber/v2"
)

// ICEConfig says how clients reach the STUN/TURN server.
type ICEConfig struct {
	Secret []byte // shared with the relay
	// Plan is how a client reaches the relay now.
	Plan func(segment.Visit) segment.Plan
	// Relay is the relay's address for clients that reached this server by an
	// address; false if there is none.
	Relay func(reached netip.Addr) (netip.Addr, bool)
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// ice lists what the client's RTCPeerConnection is to try, with a credential
// that lasts as long as the session.
func (a *App) ice(c *fiber.Ctx) error {
	session := sessionOf(c)
	username, password := credential.Issue(a.cfg.ICE.Secret, session.UserID, session.ID, session.ExpiresAt)
	plan := a.cfg.ICE.Plan(visit(c))
	servers := []iceServer{}
	if len(plan.STUN) > 0 {
		servers = append(servers, iceServer{URLs: plan.STUN})
	}
	var turn []string
	for _, way := range plan.Ways {
		if way.Listed {
			turn = append(turn, way.URL)
		}
	}
	if len(turn) > 0 {
		servers = append(servers, iceServer{URLs: turn, Username: username, Credential: password})
	}
	return c.JSON(fiber.Map{"iceServers": servers, "expires_at": session.ExpiresAt.Unix()})
}

// visit is how the client came.
func visit(c *fiber.Ctx) segment.Visit {
	return segment.Visit{Client: remote(c), Server: local(c), Host: c.Get("Host")}
}
