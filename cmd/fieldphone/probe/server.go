package probe

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"fieldphone/cmd/fieldphone/desktop"
	"fieldphone/rtc"
	"fieldphone/turnsrv/turnclient"
)

const (
	dialTimeout = 5 * time.Second
	clockTold   = time.Minute
	clockWrong  = 24 * time.Hour
	dateGrain   = 2 * time.Second // of the Date header (RFC 9110 section 6.6.1), which servers make once a second
)

// resolve finds the addresses of a name.
func (r *run) resolve(ctx context.Context) bool {
	host, port := r.Target.URL.Hostname(), portOf(r.Target)
	if addr, err := netip.ParseAddr(host); err == nil {
		r.at = netip.AddrPortFrom(addr.Unmap(), port)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	began := time.Now()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	took := time.Since(began)
	if err != nil || len(addrs) == 0 {
		r.add(step{
			group: groupServer, name: "name", leg: leg(rtc.LegTLS, host, took, rtc.LegNameUnresolved),
			text: fmt.Sprintf("%s has no address here: %v", host, err),
		})
		return false
	}
	best := addrs[0].Unmap()
	for _, a := range addrs { // the relay serves IPv4
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	r.at = netip.AddrPortFrom(best, port)
	r.ok(groupServer, "name", "%s is %s", host, best)
	return true
}

func portOf(target desktop.Target) uint16 {
	n, err := strconv.ParseUint(target.URL.Port(), 10, 16)
	if err != nil || n == 0 {
		return 443
	}
	return uint16(n)
}

// connect tries TCP.
func (r *run) connect(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	began := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.at.String())
	took := time.Since(began)
	target := r.at.String() + "/tcp"
	if err != nil {
		r.add(step{
			group: groupServer, name: "tcp", leg: leg(rtc.LegTLS, target, took, rtc.LegCode(turnclient.Failure(err))),
			text: fmt.Sprintf("no connection to %s: %v", r.at, err),
		})
		return false
	}
	if local, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
		r.detail.Client = local.Addr().Unmap().String() // until the server tells
	}
	conn.Close()
	r.detail.Server = r.at.Addr().String()
	r.ok(groupServer, "tcp", "%s in %.1f ms", r.at, milliseconds(took))
	return true
}

// trust judges the certificate. It is false where going on could tell a stranger what is
// meant for the server.
func (r *run) trust(ctx context.Context) bool {
	target := r.at.String() + "/tcp"
	began := time.Now()
	chain, err := r.handshake(ctx)
	took := time.Since(began)
	if err != nil {
		r.add(step{
			group: groupServer, name: "tls", leg: leg(rtc.LegTLS, target, took, rtc.LegCode(turnclient.Failure(err))),
			text: fmt.Sprintf("no TLS: %v", err), hint: "Use the https address that the server shows; something else may hold the port.",
		})
		return false
	}
	ca := chain[len(chain)-1]
	sum := sha256.Sum256(ca.Raw)
	shown := desktop.Fingerprint(sum)
	r.detail.CASHA256 = shown.String()
	why := r.trusts(chain)
	r.api = newAPI(r.Target.URL, r.at, chain[0], why == nil, r.Now)
	switch {
	case why == nil:
		r.add(step{
			group: groupServer, name: "tls", leg: leg(rtc.LegTLS, target, took, ""),
			text: fmt.Sprintf("the certificate is trusted; its CA has the SHA-256\n%s", lines(shown)),
		})
		return true
	case errors.Is(why, desktop.ErrOtherCA):
		r.add(step{
			group: groupServer, name: "tls", leg: leg(rtc.LegTLS, target, took, rtc.LegUntrusted),
			text: fmt.Sprintf("the CA is another one than expected. It has the SHA-256\n%s", lines(shown)),
			hint: "This is another server, or its CA is new, or somebody is in between: compare with the server's screen. Nothing secret was sent.",
		})
		return false
	}
	slow := leg(rtc.LegTLS, target, took, rtc.LegUntrusted)
	slow.State = rtc.LegSlow
	text := fmt.Sprintf("this machine does not trust the certificate: %v. Its CA has the SHA-256\n%s", why, lines(shown))
	hint := "Compare with the server's screen or poster. If it is the same, run again with --ca-sha256 and these digits, or with --ca FILE."
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(why, &name):
		hint = "Use an address that the server shows; it makes a certificate for each of its own, and for those in tls.names."
	case errors.As(why, &invalid) && invalid.Reason == x509.Expired:
		slow.Code = rtc.LegClockOff
		hint = "Compare this machine's clock with the server's. If both are right, restart the server: it makes a new certificate."
	}
	r.add(step{group: groupServer, name: "tls", leg: slow, text: text, hint: hint})
	return true
}

// lines is a fingerprint in two lines.
func lines(f desktop.Fingerprint) string {
	text := f.String()
	return text[:48] + "\n" + text[48:]
}

// handshake returns what the server shows, not yet trusted.
func (r *run) handshake(ctx context.Context) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.at.String())
	if err != nil {
		return nil, err
	}
	client := tls.Client(conn, &tls.Config{
		ServerName: r.Target.URL.Hostname(), MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // roots judges the chain
	})
	defer client.Close()
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates, nil
}

// trusts says why the chain does not lead to the CA that was expected, to those of --ca, or
// to this machine's.
func (r *run) trusts(chain []*x509.Certificate) error {
	if r.CA == nil {
		return r.verify(chain, r.Roots)
	}
	for _, cert := range chain[1:] {
		if desktop.FingerprintOf(cert) == *r.CA {
			pool := x509.NewCertPool()
			pool.AddCert(cert)
			return r.verify(chain, pool)
		}
	}
	return desktop.ErrOtherCA
}

func (r *run) verify(chain []*x509.Certificate, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: r.Now(), DNSName: r.Target.URL.Hostname(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// http asks what every server of ours answers.
func (r *run) http(ctx context.Context) bool {
	var site struct {
		Name, Policy string
		Guests       *bool
	}
	began := time.Now()
	err := r.api.get(ctx, "/api/v1/site", &site)
	took := time.Since(began)
	if err != nil || site.Policy == "" || site.Guests == nil {
		r.fail(groupServer, "page", "Use the https address that the server shows; a proxy in between may answer in its place.", "%s is no Fieldphone server: %v", r.Target.Site(), err)
		return false
	}
	r.ok(groupServer, "page", "Fieldphone %q answers in %.1f ms", site.Name, milliseconds(took))
	var ready struct {
		Ready bool
		Parts map[string]string
	}
	var refusal *apiError
	err = r.api.get(ctx, "/readyz", &ready)
	switch {
	case errors.As(err, &refusal) && refusal.status == http.StatusServiceUnavailable:
		r.fail(groupServer, "ready", "On the server: fieldphone doctor.", "the server says that parts of it fail")
	case err != nil:
		r.warn(groupServer, "ready", "On the server: fieldphone doctor.", "the server does not tell whether it is well: %v", err)
	default:
		r.ok(groupServer, "ready", "the server says that all its parts are well")
	}
	return true
}

// clock compares by the last answer that told the time.
func (r *run) clock() {
	offset, precise, known := r.api.offset()
	if !known {
		return
	}
	l := leg(rtc.LegClock, "", 0, "")
	l.Data = map[string]float64{"offset_ms": float64(offset.Milliseconds())}
	text := fmt.Sprintf("this machine's is %v from the server's", offset.Round(time.Millisecond))
	switch {
	case precise && offset.Abs() < 100*time.Millisecond:
		text = "this machine's is that of the server, within 0.1 s"
	case !precise && offset.Abs() <= dateGrain:
		text = "this machine's is that of the server, within a second"
	}
	switch {
	case offset.Abs() >= clockWrong:
		l.State, l.Code = rtc.LegFailed, rtc.LegClockOff
	case offset.Abs() >= clockTold:
		l.State, l.Code = rtc.LegSlow, rtc.LegClockOff
	}
	r.add(step{group: groupServer, name: "clock", leg: l, text: text})
}
