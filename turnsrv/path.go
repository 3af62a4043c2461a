package turnsrv

import (
	"fmt"

	"fieldphone/turnsrv/relay"
)

// Path is how packets of a channel go through the server.
type Path string

const (
	// PathAuto takes the fastest that the system has.
	PathAuto Path = "auto"
	// PathUser forwards channels in front of pion/turn, many packets with one
	// system call and relay to relay in one step. Linux only.
	PathUser Path = "user"
	// PathPlain leaves all to pion/turn, packet by packet.
	PathPlain Path = "plain"
)

// choose gives the path that is taken, and says why not the one asked for.
func (p Path) choose() (chosen Path, why string) {
	switch {
	case p == PathPlain:
		return PathPlain, ""
	case !relay.Offered:
		return PathPlain, "this system reads and writes one packet at a time"
	}
	return PathUser, ""
}

func (p Path) validate() error {
	switch p {
	case "", PathAuto, PathUser, PathPlain:
		return nil
	}
	return fmt.Errorf("turn: path %q: must be auto, user or plain", string(p))
}

// Path tells how packets of a channel go through the server.
func (s *Server) Path() Path { return s.path }
