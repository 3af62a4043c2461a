package httpapi

import (
	"bytes"

	"fieldphone/httpapi/onboard"

	"github.com/gofiber/fiber/v2"
)

// poster is the page to print that leads people here, by the address that the
// administrator came by where others can reach it. The Wi-Fi's code is on the one that the command line
// makes: its password has no place in a URL.
func (a *App) poster(c *fiber.Ctx) error {
	user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	if !user.Admin {
		return refusal{fiber.StatusForbidden, "admins_only", "Only administrators can do this.", ""}
	}
	paper := onboard.A4()
	if c.Query("paper") == "letter" {
		paper = onboard.Letter()
	}
	host := local(c)
	if addr, ok := a.cfg.ICE.Relay(host); ok && host.IsLoopback() {
		host = addr // the administrator sits at the server; others do not
	}
	site := a.cfg.Site()
	var out bytes.Buffer
	if err := (onboard.Poster{URL: StartLink(HTTPURL(host.String(), a.cfg.StartPort), site), CA: site.CA, Paper: paper}).Write(&out); err != nil {
		return err
	}
	c.Set("Content-Type", "image/svg+xml; charset=utf-8")
	// An SVG opened by itself is a page: let it draw, and nothing else.
	c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return c.Send(out.Bytes())
}
