package httpapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed start.html
var startFiles embed.FS

// StartConfig is what the plain-HTTP start page tells of.
type StartConfig struct {
	HTTPSPort   uint16
	CACertDER   []byte
	CACertPEM   []byte
	Fingerprint string // SHA-256 of the CA certificate
	Logger      *slog.Logger
}

// NewStart makes the app of the plain-HTTP port. It serves one page, which
// says what this is, offers the CA certificate, and links to the HTTPS page;
// nothing on it can sign in or be signed in to.
func NewStart(cfg StartConfig) (*App, error) {
	page, err := template.ParseFS(startFiles, "start.html")
	if err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	a := &App{fiber: newFiber(1<<10, cfg.Logger)}
	f := a.fiber
	f.Use(func(c *fiber.Ctx) error {
		c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		c.Set("X-Content-Type-Options", "nosniff")
		c.Set("Referrer-Policy", "no-referrer")
		c.Set("Cache-Control", "no-store")
		return c.Next()
	})
	f.Get("/", func(c *fiber.Ctx) error {
		var out bytes.Buffer
		err := page.Execute(&out, fiber.Map{
			"Chinese": wantsChinese(c), "URL": secureURL(c, cfg.HTTPSPort), "Fingerprint": cfg.Fingerprint,
		})
		if err != nil {
			return err
		}
		return c.Type("html", "utf-8").Send(out.Bytes())
	})
	f.Get("/fieldphone-ca.crt", func(c *fiber.Ctx) error {
		c.Set("Content-Type", "application/x-x509-ca-cert")
		c.Attachment("fieldphone-ca.crt")
		return c.Send(cfg.CACertDER)
	})
	f.Get("/fieldphone-ca.pem", func(c *fiber.Ctx) error {
		c.Set("Content-Type", "application/x-pem-file")
		c.Attachment("fieldphone-ca.pem")
		return c.Send(cfg.CACertPEM)
	})
	f.Use(func(c *fiber.Ctx) error { return c.Redirect("/") })
	f.Handler()
	return a, nil
}

func wantsChinese(c *fiber.Ctx) bool {
	lang := c.Query("lang", c.Get("Accept-Language"))
	return strings.HasPrefix(strings.ToLower(lang), "zh")
}

// secureURL is where the client that came here finds the real page: the same
// name or address, the HTTPS port. A name that is no host name is not echoed.
func secureURL(c *fiber.Ctx, port uint16) string {
	host := c.Hostname()
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err != nil && !isHostName(host) {
		host = local(c).String()
	}
	return HTTPSURL(host, port)
}

// HTTPSURL makes the URL of the page at a name or address, without the port
// where browsers need none.
func HTTPSURL(host string, port uint16) string {
	if port == 443 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "https://" + host + "/"
	}
	return "https://" + net.JoinHostPort(host, fmt.Sprint(port)) + "/"
}

const hostNameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."

func isHostName(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(s, hostNameAlphabet) == ""
}
