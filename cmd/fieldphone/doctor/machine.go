package doctor

import (
	"context"
	"time"

	"fieldphone/cmd/fieldphone/host"
	"fieldphone/turnsrv"
)

const (
	wantBuffer    = 4 << 20 // bytes, that the relay asks for
	wantConntrack = 16384
	memoryFew     = 128 << 20
	spareFiles    = 256 // database, log, the program itself
)

// firstYear is the first that a clock can tell truly: this program is of that year.
const firstYear = 2026

// machine looks at what the system gives, as far as it tells.
func (e *exam) machine(context.Context) {
	now := e.Now()
	switch {
	case now.Year() < firstYear:
		e.fail("clock", "date -s 'YYYY-MM-DD HH:MM', then hwclock -w. Without a right clock browsers refuse the certificate.",
			"it is %s here, which cannot be", now.Format(time.DateTime))
	case now.Year() > firstYear+30:
		e.warn("clock", "date -s 'YYYY-MM-DD HH:MM', then hwclock -w.", "it is %s here, which is far in the future", now.Format(time.DateTime))
	default:
		e.ok("clock", "%s", now.Format("2006-01-02 15:04:05 MST"))
	}
	e.memory()
	if e.Problem == nil {
		e.files()
	}
	e.buffers()
	e.conntrack()
	e.path()
}

// path says how relayed packets would go through this machine.
func (e *exam) path() {
	switch asked := turnsrv.Path(e.Config.Relay.Path); asked {
	case turnsrv.PathPlain, turnsrv.PathUser:
		e.ok("relay path", "%s, as relay.path says", asked)
	default:
		if err := turnsrv.TryKernel(); err != nil {
			e.ok("relay path", "user; not kernel, for whoever runs this: %v", err)
			return
		}
		e.ok("relay path", "kernel: relayed packets do not wake the server, and pass by this machine's packet filter")
	}
}

func (e *exam) memory() {
	switch space, known := host.Memory(); {
	case !known:
	case space.Free < memoryFew:
		e.warn("memory", "Stop other programs, or use a machine with more.", "%s available of %s", size(space.Free), size(space.Total))
	default:
		e.ok("memory", "%s available of %s", size(space.Free), size(space.Total))
	}
}

// files compares the limit of open files with the connections that the settings allow. Of
// a running server its own limit counts, else the one that a start from here would get.
func (e *exam) files() {
	c := e.Config
	need := uint64(c.Limits.MaxConnections + c.TURN.MaxTCPConnections + c.TURN.RelayPorts.Size()*max(1, len(e.relayAddresses())) + spareFiles)
	limit, known := host.OpenFiles()
	have, whose := limit.Hard, "a server started from here" // Go raises the soft limit to the hard one
	if e.running != nil && e.running.mine && e.running.pid != 0 {
		limit, known = host.FilesOf(e.running.pid)
		have, whose = limit.Soft, "the running server"
	}
	switch {
	case !known:
	case have < need:
		e.warn("open files", "Raise it (systemd: LimitNOFILE=, shell: ulimit -n), or lower limits.max_connections.",
			"%s may open %d, and the settings allow %d", whose, have, need)
	default:
		e.ok("open files", "%s may open %d, and needs at most %d", whose, have, need)
	}
}

func (e *exam) buffers() {
	for _, name := range []string{"net.core.rmem_max", "net.core.wmem_max"} {
		have, known := host.Sysctl(name)
		switch {
		case !known:
		case have < wantBuffer:
			e.warn("udp buffers", "sysctl -w "+name+"=4194304 (and a line in /etc/sysctl.d to keep it).",
				"%s is %s; with many calls at once packets are lost at under 4 MB", name, size(uint64(have)))
		default:
			e.ok("udp buffers", "%s is %s", name, size(uint64(have)))
		}
	}
}

func (e *exam) conntrack() {
	have, known := host.Sysctl("net.netfilter.nf_conntrack_max")
	used, _ := host.Sysctl("net.netfilter.nf_conntrack_count")
	hint := "sysctl -w net.netfilter.nf_conntrack_max=65536 (and a line in /etc/sysctl.d to keep it)."
	switch {
	case !known: // not loaded
	case used > have*9/10:
		e.fail("conntrack", hint, "%d of %d entries are used; new calls get no packets through", used, have)
	case have < wantConntrack:
		e.warn("conntrack", hint, "the packet filter follows %d flows at most, %d now", have, used)
	default:
		e.ok("conntrack", "%d of %d entries are used", used, have)
	}
}
