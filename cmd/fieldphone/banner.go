package main

import (
	"fmt"
	"io"

	"fieldphone/httpapi"
	"fieldphone/httpapi/onboard"
	"fieldphone/httpapi/segment"

	"github.com/mdp/qrterminal/v3"
)

// banner is what the admin sees once everything listens.
type banner struct {
	places      []place
	segments    *segment.Table
	onHTTPS     bool // TURN
	https, http uint16
	turn        uint16
	name        string // by mDNS, empty for none
	relayPorts  string
	site        onboard.Site
	database    string
	presence    string
	refused     []string // names that the certificate cannot carry
	policy      string   // of registration
	adminCode   string   // makes the first administrator; empty if there is one
}

func (b banner) print(w io.Writer) {
	fmt.Fprint(w, "\nFieldphone is ready. Open on a device of this network:\n\n")
	first := httpapi.HTTPSURL("localhost", b.https)
	scan := first
	for i, p := range b.places {
		url := httpapi.HTTPSURL(p.Addr.String(), b.https)
		if i == 0 {
			first = url
			scan = httpapi.StartLink(httpapi.HTTPURL(p.Addr.String(), b.http), b.site)
		}
		fmt.Fprintf(w, "  %-44s %s\n", url, p.Interface)
	}
	if b.name != "" && len(b.places) > 0 {
		fmt.Fprintf(w, "  %-44s by name, where the device knows mDNS\n", httpapi.HTTPSURL(b.name, b.https))
	}
	fmt.Fprintf(w, "  %-44s this machine\n", httpapi.HTTPSURL("localhost", b.https))
	if len(b.places) == 0 {
		fmt.Fprint(w, "\n  No network yet: connect this machine to one, its address is then served by itself.\n")
	} else {
		fmt.Fprintf(w, "\nFirst time on a device (help, certificate):\n\n  %s\n", httpapi.HTTPURL(b.places[0].Addr.String(), b.http))
	}
	b.printFingerprint(w)
	printSegments(w, b.segments, b.onHTTPS)
	fmt.Fprintf(w, "\nSTUN/TURN  %s, relay ports %s UDP\nAccounts   %s\nPresence   %s\n", b.turnPorts(), b.relayPorts, b.database, b.presence)
	for _, name := range b.refused {
		fmt.Fprintf(w, "Note       %s is outside what the certificate may cover; browsers warn there\n", name)
	}
	fmt.Fprintf(w, "\n%s\n\n", scan)
	printQR(w, scan)
	if b.adminCode != "" {
		fmt.Fprintf(w, "\nThis site has no administrator yet. To be the one, open this link and create an account or sign in.\n"+
			"It is good once, for 24 h; each start prints a new one as long as there is none:\n\n  %s\n", adminLink(first, b.adminCode))
		if b.policy != "open" {
			fmt.Fprintf(w, "\nNobody can create an account by themselves (registration.policy is %s). To make the first one:\n\n"+
				"  fieldphone user add ID --name NAME --admin\n", b.policy)
		}
	}
	fmt.Fprint(w, "\nPress Ctrl-C to stop.\n")
}

func (b banner) turnPorts() string {
	if b.onHTTPS {
		return fmt.Sprintf("port %d UDP and TCP, and port %d beside HTTPS", b.turn, b.https)
	}
	return fmt.Sprintf("port %d UDP and TCP", b.turn)
}

// printFingerprint shows what people compare with their device.
func (b banner) printFingerprint(w io.Writer) {
	ca := b.site.CA
	if ca == nil {
		fmt.Fprint(w, "\nThe certificate of tls.cert is served: no device needs to install anything.\n")
		return
	}
	lines := ca.Fingerprint.HexLines()
	fmt.Fprintf(w, "\nTo compare before trusting this site's CA:\n\n  %s\n\nor whole, as devices show it (SHA-256):\n\n  %s\n  %s\n",
		ca.Fingerprint.Digits(), lines[0], lines[1])
}

// printQR draws a QR code that phones read from a terminal.
func printQR(w io.Writer, text string) {
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qrterminal.M, Writer: w, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
}

// adminLink and joinLink put the code into the fragment, which browsers send
// to no server, so that it is in no log.
func adminLink(page, code string) string { return page + "#admin=" + code }

func joinLink(page, code string) string { return page + "#join=" + code }
