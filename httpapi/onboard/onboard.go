// Package onboard is the help that a device gets before it trusts this site: the start
// page that says, in the words of the very browser that asks, how to open the phone and
// how to install the site's CA; the CA as a profile for Apple's devices; and the poster
// that leads people to the page.
//
// The package is pure: it turns what a request says into pages, and knows no HTTP.
//
// # What the page can promise
//
// The page comes over plain HTTP, because nothing else opens without a warning on a
// device that knows nothing of the site yet. Whoever can change packets on the network can
// change it. It is trust on first use, and the page says so: the fingerprint is to be
// compared with the server's own screen or a poster, and the strictest comparison is with
// what the device itself shows for the installed certificate.
package onboard

import (
	"encoding/pem"
	"time"
)

// Site is the server as the page tells of it.
type Site struct {
	// CA is what devices install. Nil: the site serves a certificate that somebody else
	// vouches for, and no device needs anything.
	CA *CA
}

// CA is the site's certificate authority.
type CA struct {
	DER         []byte
	Name        string // as devices list it
	Fingerprint Fingerprint
	Earlier     []Fingerprint // of CAs that this one has replaced
	NotAfter    time.Time
	// Names are the domains that the CA may vouch for; Local is true if it may vouch for
	// nothing but these and addresses that exist only in local networks.
	Names []string
	Local bool
}

// Request is what the start page is asked with. Every string may come from anybody.
type Request struct {
	Hints    Hints
	Language string // the lang parameter, else empty
	Accept   string // Accept-Language
	On       string // the on parameter: a platform that the person chose
	With     string // the with parameter: a browser that the person chose
	By       string // the by parameter: a maker that the person chose
	Link     string // the ca parameter: Fingerprint.Short of the code that was scanned
	Stay     bool   // the person wants to stay on the page although the site is trusted
	APK      bool   // the Android app can be had here

	Host      string // name or address by which the client came, without port
	SecureURL string // of the real page
	StartURL  string // of this page, to be copied into another browser
	Site      Site
}

// PEM returns the certificate as most tools want it.
func (ca CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.DER})
}
