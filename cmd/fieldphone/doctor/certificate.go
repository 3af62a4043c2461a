package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/segment"
)

const (
	leafSoon = 7 * 24 * time.Hour // the server renews it a month before its end
	caSoon   = 365 * 24 * time.Hour
)

func (e *exam) certificate(context.Context) {
	if c := e.Config.TLS; c.Cert != "" {
		provided, err := lanca.OpenProvided(lanca.ProvidedConfig{CertFile: c.Cert, KeyFile: c.Key})
		if err != nil {
			e.fail("files", "Correct tls.cert and tls.key, or leave both empty to use the site's own CA.", "%v", strip(err, "lanca: "))
			return
		}
		e.ok("files", "%s and its key belong together", c.Cert)
		e.leaf(provided.Leaf(), "Renew it where it comes from; the server reads the files again by itself.")
		return
	}
	ca, err := lanca.Read(e.CA)
	if errors.Is(err, lanca.ErrNoCA) {
		e.skip("ca", "there is none yet; the first start makes it")
		return
	}
	if err != nil {
		text, hint, _ := strings.Cut(strip(err, "lanca: "), "; ")
		e.fail("ca", sentence(hint), "%s", text)
		return
	}
	e.authority(ca)
	leaf, err := lanca.ReadLeaf(e.CA)
	if err != nil {
		e.warn("certificate", "Start the server: it makes one.", "%v", strip(err, "lanca: "))
		return
	}
	e.leaf(leaf, "Restart the server: it makes a new one. If it does not, its log says why.")
}

func (e *exam) authority(ca lanca.CA) {
	now := e.Now()
	sum := ca.SHA256()
	switch left := ca.Ends().Sub(now); {
	case now.Before(ca.Anchor.NotBefore):
		e.fail("ca", "Set this machine's clock.", "the CA was made on %s, which is in the future: the clock is wrong", ca.Anchor.NotBefore.Format(time.DateOnly))
	case left < 0:
		e.fail("ca", "fieldphone ca renew: devices go on.", "the CA ended on %s", ca.Ends().Format(time.DateOnly))
	case left < caSoon:
		e.warn("ca", "fieldphone ca renew: devices go on.", "the CA ends on %s", ca.Ends().Format(time.DateOnly))
	default:
		e.ok("ca", "SHA-256 %X..., until %s", sum[:8], ca.Ends().Format(time.DateOnly))
	}
}

// leaf judges what is on the disk; a running server may serve another.
func (e *exam) leaf(leaf *x509.Certificate, renew string) {
	if e.running != nil && e.running.mine {
		leaf = e.running.leaf
	}
	now := e.Now()
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		e.fail("certificate", "Set this machine's clock.", "it is valid from %s on, which is in the future: the clock is wrong", leaf.NotBefore.Format(time.DateTime))
	case left < 0:
		e.fail("certificate", renew, "it ended on %s", leaf.NotAfter.Format(time.DateTime))
	case left < leafSoon:
		e.warn("certificate", renew, "it ends on %s", leaf.NotAfter.Format(time.DateTime))
	default:
		e.ok("certificate", "until %s (%d days)", leaf.NotAfter.Format(time.DateOnly), int(left.Hours()/24))
	}
	var missing []string
	for _, addr := range e.Addrs {
		if leaf.VerifyHostname(addr.String()) != nil {
			missing = append(missing, addr.String())
		}
	}
	for _, name := range e.Names {
		if leaf.VerifyHostname(name) != nil {
			missing = append(missing, name)
		}
	}
	local := slices.ContainsFunc(missing, isPlace(e))
	switch {
	case len(missing) == 0:
		e.ok("names", "it covers all %d addresses and names of this machine", len(e.Addrs)+len(e.Names))
	case !local:
		e.warn("names", "Open the page by an address that it covers; the CA vouches only for private addresses and local names.", "it does not cover %s", strings.Join(missing, ", "))
	case e.running != nil && e.running.mine:
		e.fail("names", renew, "it does not cover %s; browsers warn there", strings.Join(missing, ", "))
	default:
		e.warn("names", "The next start makes one that does.", "it does not cover %s", strings.Join(missing, ", "))
	}
}

// isPlace tells the private addresses that clients use: those the CA can vouch for.
func isPlace(e *exam) func(string) bool {
	return func(name string) bool {
		addr, err := netip.ParseAddr(name)
		return err == nil && addr.IsPrivate() && slices.ContainsFunc(e.Places, func(p segment.Place) bool { return p.Prefix.Addr() == addr })
	}
}
