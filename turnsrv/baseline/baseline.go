// Package baseline is pion/turn as it comes, for benchmarks beside the server of
// package turnsrv. It permits every peer: it is not for use.
package baseline

import (
	"fmt"
	"net"

	"github.com/pion/logging"
	"github.com/pion/turn/v4"
)

// Serve starts pion/turn on a UDP socket, with credentials of the TURN REST form.
func Serve(conn net.PacketConn, relay net.IP, realm, secret string) (interface{ Close() error }, error) {
	log := logging.NewDefaultLoggerFactory()
	log.DefaultLogLevel = logging.LogLevelDisabled
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: realm, AuthHandler: turn.LongTermTURNRESTAuthHandler(secret, log.NewLogger("turn")), LoggerFactory: log,
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorPortRange{
				RelayAddress: relay, Address: relay.String(), MinPort: 20000, MaxPort: 59999,
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	return server, nil
}
