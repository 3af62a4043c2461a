package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/onboard"
)

const posterUsage = `fieldphone poster [--ssid NAME [--wifi-password-file FILE]] [--url URL] [--paper a4|letter] [-o FILE]

Writes one page to print, in SVG, which browsers open and print: a QR code that leads people
to the start page, the numbers to compare, three steps in English and Chinese, and with
--ssid a code to join the Wi-Fi. Its password comes from the file (- for standard input) or
from FIELDPHONE_WIFI_PASSWORD; without one the network is open. The password is printed.
`

func (inv *invocation) poster(_ context.Context, args []string) error {
	fs, s := newFlags(inv, "poster")
	ssid := fs.String("ssid", "", "`name` of the Wi-Fi to join")
	passwordFile := fs.String("wifi-password-file", "", "`file` with the Wi-Fi's password")
	page := fs.String("url", "", "start page, if it is not at this machine's best address")
	paper := fs.String("paper", "a4", "a4 or letter")
	output := fs.String("o", "", "`file` to write (default: standard output)")
	fs.Usage = func() { fmt.Fprint(inv.stderr, posterUsage) }
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: poster takes no %q", errUsage, rest[0])
	}
	cfg, err := s.load(inv)
	if err != nil {
		return err
	}
	p := onboard.Poster{}
	if p.Paper, err = paperOf(*paper); err != nil {
		return err
	}
	if p.WiFi, err = inv.wifi(*ssid, *passwordFile); err != nil {
		return err
	}
	site, err := savedSite(cfg)
	if err != nil {
		return err
	}
	start, err := startURL(cfg, *page)
	if err != nil {
		return err
	}
	p.CA, p.URL = site.CA, httpapi.StartLink(start, site)
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		return err
	}
	return inv.write(*output, out.Bytes(), 0o644)
}

func paperOf(name string) (onboard.Paper, error) {
	switch strings.ToLower(name) {
	case "a4":
		return onboard.A4(), nil
	case "letter":
		return onboard.Letter(), nil
	}
	return onboard.Paper{}, fmt.Errorf("%w: --paper is a4 or letter", errUsage)
}

// wifi is the network to join, nil if none is named.
func (inv *invocation) wifi(ssid, passwordFile string) (*onboard.WiFi, error) {
	if ssid == "" {
		if passwordFile != "" {
			return nil, fmt.Errorf("%w: --wifi-password-file goes with --ssid", errUsage)
		}
		return nil, nil
	}
	w := &onboard.WiFi{SSID: ssid}
	for _, v := range inv.environ {
		if password, ok := strings.CutPrefix(v, "FIELDPHONE_WIFI_PASSWORD="); ok {
			w.Password = password
		}
	}
	if passwordFile != "" {
		text, err := inv.read(passwordFile)
		if err != nil {
			return nil, fmt.Errorf("--wifi-password-file: %w", err)
		}
		w.Password = strings.TrimRight(string(text), "\r\n")
	}
	return w, w.Check()
}

// savedSite is the site as its data folder tells of it, whether a server runs or not.
func savedSite(cfg configs.Config) (onboard.Site, error) {
	if cfg.TLS.Cert != "" {
		return onboard.Site{}, nil
	}
	ca, err := lanca.Read(caConfig(cfg))
	if err != nil {
		return onboard.Site{}, err
	}
	return onboard.Site{CA: caForPeople(ca)}, nil
}

// startURL is where people find the start page: what the admin says, else this machine's
// best address.
func startURL(cfg configs.Config, given string) (string, error) {
	if given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return "", fmt.Errorf("%w: --url is the start page's address, like http://192.168.1.10:8080/", errUsage)
		}
		return u.Scheme + "://" + u.Host + "/", nil
	}
	if cfg.Listen.HTTPPort == 0 {
		return "", errors.New("listen.http_port is 0, so the start page's address is not known here; give --url as the server prints it")
	}
	places, err := findPlaces(cfg.Listen)
	if err != nil {
		return "", fmt.Errorf("list network interfaces: %w", err)
	}
	if len(places) == 0 {
		return "", errors.New("this machine has no network now; connect it to one, or give --url")
	}
	return httpapi.HTTPURL(places[0].Addr.String(), uint16(cfg.Listen.HTTPPort)), nil
}

// maxInput bounds files that commands read.
const maxInput = 1 << 20

// read reads a file, or standard input for "-".
func (inv *invocation) read(name string) ([]byte, error) {
	in := inv.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxInput)
	}
	return text, err
}

// write writes a file that was not there before, or to standard output without a name.
func (inv *invocation) write(name string, content []byte, mode os.FileMode) error {
	if name == "" || name == "-" {
		_, err := inv.stdout.Write(content)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten; remove it, or choose another name", name)
	}
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	fmt.Fprintln(inv.stderr, "wrote", name)
	return nil
}
