package httpapi

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"fieldphone/httpapi/onboard"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
)

// StartConfig is what the plain-HTTP start page tells of.
type StartConfig struct {
	HTTPSPort uint16
	Site      func() onboard.Site // asked for each page: a CA may be renewed meanwhile
	APK       string              // file of the Android app; where there is none, it is not offered
	Logger    *slog.Logger
}

// NewStart makes the app of the plain-HTTP port. It serves one page, which says what this
// is, helps the device at hand to open the phone, and offers the CA certificate; nothing
// on it can sign in or be signed in to.
func NewStart(cfg StartConfig) (*App, error) {
	pages, err := onboard.New()
	if err != nil {
		return nil, err
	}
	a := &App{fiber: newFiber(cfg.Logger)}
	f := a.fiber
	f.Use(func(c *fiber.Ctx) error {
		c.Set("Content-Security-Policy", pages.Policy())
		c.Set("X-Content-Type-Options", "nosniff")
		c.Set("Referrer-Policy", "no-referrer")
		c.Set("Cache-Control", "no-store")
		return c.Next()
	}, compress.New())
	f.Get("/", func(c *fiber.Ctx) error {
		page, err := pages.Page(startRequest(c, cfg))
		if err != nil {
			return err
		}
		return c.Type("html", "utf-8").Send(page)
	})
	f.Get("/start.js", func(c *fiber.Ctx) error { return c.Type("js", "utf-8").Send(pages.Script()) })
	f.Get("/favicon.svg", func(c *fiber.Ctx) error { return c.Type("svg").Send(pages.Icon()) })
	for _, file := range caFiles() {
		f.Get("/fieldphone-ca."+file.ending, func(c *fiber.Ctx) error { return sendCA(c, cfg, file) })
	}
	if err := apkRoutes(f, cfg); err != nil {
		return nil, err
	}
	f.Use(func(c *fiber.Ctx) error { return c.Redirect("/") })
	f.Handler()
	return a, nil
}

// caFile is one of the forms in which devices take a CA.
type caFile struct {
	ending, contentType string
	content             func(onboard.CA) ([]byte, error)
}

func caFiles() []caFile {
	der := func(ca onboard.CA) ([]byte, error) { return ca.DER, nil }
	return []caFile{
		{"crt", "application/x-x509-ca-cert", der},
		{"der", "application/pkix-cert", der}, // RFC 2585 section 4.1
		{"pem", "application/x-pem-file", func(ca onboard.CA) ([]byte, error) { return ca.PEM(), nil }},
		{"mobileconfig", "application/x-apple-aspen-config", onboard.Profile},
	}
}

func sendCA(c *fiber.Ctx, cfg StartConfig, file caFile) error {
	ca := cfg.Site().CA
	if ca == nil {
		return c.Redirect("/")
	}
	content, err := file.content(*ca)
	if err != nil {
		return err
	}
	c.Set("Content-Type", file.contentType)
	// Firefox offers to trust a certificate that it opens, and iOS one that it gets.
	if file.ending != "mobileconfig" && c.Query("open") == "" {
		c.Attachment("fieldphone-ca." + file.ending)
		c.Set("Content-Type", file.contentType)
	}
	return c.Send(content)
}

func startRequest(c *fiber.Ctx, cfg StartConfig) onboard.Request {
	host, port := hostOf(c)
	start := "http://" + bracketed(host)
	if port != 0 && port != 80 {
		start += ":" + strconv.Itoa(int(port))
	}
	return onboard.Request{
		Hints: onboard.Hints{
			UserAgent: c.Get("User-Agent"), Brands: c.Get("Sec-CH-UA"), Platform: c.Get("Sec-CH-UA-Platform"), Model: c.Get("Sec-CH-UA-Model"),
		},
		Language: c.Query("lang"), Accept: c.Get("Accept-Language"),
		On: c.Query("on"), With: c.Query("with"), By: c.Query("by"), Link: c.Query("ca"), Stay: c.Query("stay") != "", APK: hasAPK(cfg.APK),
		Host: host, SecureURL: HTTPSURL(host, cfg.HTTPSPort), StartURL: start + "/", Site: cfg.Site(),
	}
}

// hostOf is the name or address by which the client came, and the port if it said one. A
// name that is no host name is not echoed.
func hostOf(c *fiber.Ctx) (host string, port uint16) {
	host = c.Hostname()
	if h, p, err := net.SplitHostPort(host); err == nil {
		n, _ := strconv.ParseUint(p, 10, 16) // 0: not said
		host, port = h, uint16(n)
	}
	host = strings.Trim(host, "[]")
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" || isHostName(host) {
		return host, port
	}
	return local(c).String(), port
}

// trust answers the start page's question whether this browser trusts the site: that it
// arrives here at all is the answer. Only a page of the same host may read it.
func (a *App) trust(c *fiber.Ctx) error {
	host, _ := hostOf(c)
	origin := c.Get("Origin")
	if u, err := url.Parse(origin); err == nil && u.Scheme == "http" && strings.EqualFold(u.Hostname(), host) {
		c.Set("Access-Control-Allow-Origin", origin)
	}
	c.Set("Vary", "Origin")
	return c.SendStatus(fiber.StatusNoContent)
}

// HTTPSURL makes the URL of the page at a name or address, without the port
// where browsers need none.
func HTTPSURL(host string, port uint16) string {
	if port == 443 {
		return "https://" + bracketed(host) + "/"
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(int(port))) + "/"
}

// HTTPURL is HTTPSURL for the start page.
func HTTPURL(host string, port uint16) string {
	if port == 80 {
		return "http://" + bracketed(host) + "/"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(int(port))) + "/"
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

const hostNameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."

func isHostName(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(s, hostNameAlphabet) == ""
}

// StartLink is what a QR code holds: the start page, which explains the warning in the
// words of the browser at hand, and goes on by itself where the site is trusted already.
// It says which CA it was made for, so that the page can tell when it is another's.
func StartLink(start string, site onboard.Site) string {
	if site.CA == nil {
		return start
	}
	return start + "?ca=" + site.CA.Fingerprint.Short()
}
