package host_test

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"fieldphone/cmd/fieldphone/host"
)

// Ensure that the holder of a port is found by name.
func TestOwners(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for network, address := range map[string]string{"tcp": tcp.Addr().String(), "udp": udp.LocalAddr().String()} {
		sockets, known := host.Sockets(network)
		if !known {
			t.Fatalf("%s: the system does not tell", network)
		}
		owners := host.Owners(sockets)
		found := false
		for i, s := range sockets {
			if s.Address == netip.MustParseAddrPort(address) {
				found = true
				if p := owners[i]; p.PID != os.Getpid() || p.Name == "" {
					t.Errorf("%s is held by %v, want %d", address, p, os.Getpid())
				}
			}
		}
		if !found {
			t.Errorf("%s %s is not listed", network, address)
		}
	}
}

func TestWhatTheSystemTells(t *testing.T) {
	if n, known := host.Sysctl("net.core.rmem_max"); !known || n < 4096 {
		t.Errorf("rmem_max %d, %v", n, known)
	}
	if _, known := host.Sysctl("net.core.no_such_thing"); known {
		t.Error("a setting that there is not is known")
	}
	if m, known := host.Memory(); !known || m.Free == 0 || m.Free > m.Total {
		t.Errorf("memory %+v, %v", m, known)
	}
	if d, known := host.Disk(t.TempDir()); !known || d.Total == 0 || d.Free > d.Total {
		t.Errorf("disk %+v, %v", d, known)
	}
	mine, known := host.OpenFiles()
	same, knownToo := host.FilesOf(os.Getpid())
	if !known || !knownToo || mine != same {
		t.Errorf("open files %+v, %v and %+v, %v", mine, known, same, knownToo)
	}
}
