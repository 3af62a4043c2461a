package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"fieldphone/configs"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/onboard"
)

// certificate is what the HTTPS port serves: of the site's own CA, or one that the
// configuration names.
type certificate interface {
	SetNames(addrs []netip.Addr, names []string) (changed bool, err error)
	Refused() []string // what of them it does not cover
	Run(ctx context.Context)
	TLSConfig() *tls.Config
}

var (
	_ certificate = (*lanca.Authority)(nil)
	_ certificate = (*lanca.Provided)(nil)
)

// openCertificate opens the one that is configured, else the site's own CA.
func (s *server) openCertificate() error {
	if c := s.cfg.TLS; c.Cert != "" {
		provided, err := lanca.OpenProvided(lanca.ProvidedConfig{CertFile: c.Cert, KeyFile: c.Key, Logger: s.log})
		if err != nil {
			return err
		}
		s.cert = provided
	} else {
		cfg := caConfig(s.cfg)
		cfg.Logger = s.log
		ca, err := lanca.Open(cfg)
		if err != nil {
			return err
		}
		s.ca, s.cert = ca, ca
	}
	if err := s.nameCertificate(s.places); err != nil {
		s.log.Error("the certificate does not cover this server as it should, and browsers may warn", "error", err)
	}
	return nil
}

// nameCertificate puts every name and address of this host into the leaf.
func (s *server) nameCertificate(places []place) error {
	_, err := s.cert.SetNames(certificateNames(s.cfg, places))
	return err
}

// certificateNames are all that browsers may reach this host by.
func certificateNames(cfg configs.Config, places []place) (addrs []netip.Addr, names []string) {
	addrs = append(addrsOf(places), netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	names = []string{"localhost"}
	if name := cfg.MDNS.FQDN(); name != "" {
		names = append(names, name)
	}
	if hostName, err := os.Hostname(); err == nil {
		names = append(names, hostName, hostName+".local")
	}
	for _, name := range cfg.TLS.Names {
		if addr, err := netip.ParseAddr(name); err == nil {
			addrs = append(addrs, addr)
		} else {
			names = append(names, name)
		}
	}
	return addrs, names
}

// caConfig says where the site's own CA is.
func caConfig(cfg configs.Config) lanca.Config {
	hostName, _ := os.Hostname() // without a name there is one name less to vouch for
	return lanca.Config{Dir: filepath.Join(cfg.Data, "tls"), HostName: hostName, NoNameConstraints: cfg.TLS.NoNameConstraints}
}

// site is what the start page tells of.
func (s *server) site() onboard.Site {
	if s.ca == nil {
		return onboard.Site{}
	}
	return onboard.Site{CA: caForPeople(s.ca.CA())}
}

// caForPeople is a CA as the start page, the banner and the poster tell of it.
func caForPeople(ca lanca.CA) *onboard.CA {
	people := &onboard.CA{
		DER: ca.Anchor.Raw, Name: ca.Anchor.Subject.CommonName, Fingerprint: ca.SHA256(), NotAfter: ca.Ends(),
		Names: ca.Limits.Names, Local: ca.Limits.Local,
	}
	for _, earlier := range ca.Earlier {
		people.Earlier = append(people.Earlier, onboard.FingerprintOf(earlier.Raw))
	}
	return people
}

// tlsListener speaks TLS with the site's certificate as it is at each
// handshake.
func tlsListener(ln net.Listener, cert certificate) net.Listener {
	return tls.NewListener(ln, cert.TLSConfig())
}
