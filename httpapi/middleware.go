package httpapi

import (
	"log/slog"
	"net/url"
	"strings"
	"time"

	"fieldphone/httpapi/account"

	"github.com/gofiber/fiber/v2"
)

// cookieName has the __Host- prefix so that no other service on this host's
// ports can set it from plain HTTP or for another path.
const cookieName = "__Host-fieldphone"

const contentSecurityPolicy = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; " +
	"connect-src 'self' wss:; style-src 'self'; script-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// securityHeaders sets no HSTS: it would take away the way past the warning
// from those who have not installed the CA yet.
func securityHeaders(c *fiber.Ctx) error {
	c.Set("Content-Security-Policy", contentSecurityPolicy)
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
	return c.Next()
}

func noStore(c *fiber.Ctx) error {
	c.Set("Cache-Control", "no-store")
	return c.Next()
}

// cacheAssets lets browsers keep the files whose names carry a hash; never the
// news that there is none.
func cacheAssets(c *fiber.Ctx) error {
	c.Set("Cache-Control", "no-cache")
	if err := c.Next(); err != nil {
		return err
	}
	if strings.HasPrefix(c.Path(), "/assets/") && c.Response().StatusCode() == fiber.StatusOK {
		c.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	return nil
}

// limitBody refuses large bodies. What is larger than Fiber's own limit was
// refused before it was read.
func (a *App) limitBody(c *fiber.Ctx) error {
	if !carriesChunk(c) && len(c.Request().Body()) > a.cfg.BodyBytes {
		return fiber.ErrRequestEntityTooLarge
	}
	return c.Next()
}

// sameOrigin refuses requests that another site's page makes a browser send:
// everything that changes something, and the WebSocket. Programs other than
// browsers send no Origin.
func sameOrigin(c *fiber.Ctx) error {
	upgrade := strings.EqualFold(c.Get("Upgrade"), "websocket")
	if !upgrade && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) {
		return c.Next()
	}
	if origin := c.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, c.Get("Host")) {
			return refusal{fiber.StatusForbidden, "forbidden_origin", "This request comes from another site's page. Open Fieldphone's own page.", ""}
		}
	}
	if site := c.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return refusal{fiber.StatusForbidden, "forbidden_origin", "This request comes from another site's page. Open Fieldphone's own page.", ""}
	}
	return c.Next()
}

type sessionKey struct{}

type tokenKey struct{}

// requireSession lets signed-in requests through, by bearer token or cookie,
// and renews the cookie of a session that is in use.
func (a *App) requireSession(c *fiber.Ctx) error {
	token, bearer := strings.CutPrefix(c.Get("Authorization"), "Bearer ")
	if !bearer {
		token = c.Cookies(cookieName)
	}
	if token == "" {
		return refusal{fiber.StatusUnauthorized, account.CodeUnauthenticated, "Sign in first.", ""}
	}
	session, err := a.cfg.Accounts.Authenticate(c.UserContext(), token)
	if err != nil {
		return err
	}
	c.Locals(sessionKey{}, session)
	c.Locals(tokenKey{}, token)
	if !bearer {
		if grant, renewed, err := a.cfg.Accounts.Renew(c.UserContext(), token); err == nil && renewed {
			a.setCookie(c, grant)
			c.Locals(sessionKey{}, grant.Session)
			c.Locals(tokenKey{}, grant.Token)
		}
	}
	if a.cfg.Seen != nil {
		a.cfg.Seen(sessionOf(c), remote(c))
	}
	return c.Next()
}

func sessionOf(c *fiber.Ctx) account.Session {
	session, _ := c.Locals(sessionKey{}).(account.Session)
	return session
}

func (a *App) setCookie(c *fiber.Ctx, grant account.Grant) {
	c.Cookie(&fiber.Cookie{
		Name: cookieName, Value: grant.Token, Path: "/", Expires: grant.Session.ExpiresAt,
		Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode,
	})
}

func clearCookie(c *fiber.Ctx) {
	c.Cookie(&fiber.Cookie{
		Name: cookieName, Path: "/", Expires: time.Unix(1, 0),
		Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode,
	})
}

// logRequests writes one line for each API request; never its query, headers
// or body.
func (a *App) logRequests(c *fiber.Ctx) error {
	began := a.cfg.Now()
	err := c.Next()
	if err != nil {
		_, answer := describe(c, err)
		a.counted.refuse(answer.Code)
		if err := c.App().ErrorHandler(c, err); err != nil {
			return err
		}
	}
	status := c.Response().StatusCode()
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	a.cfg.Logger.Log(c.UserContext(), level, "http", "method", c.Method(), "path", c.Path(), "status", status,
		"from", remote(c).String(), "took", a.cfg.Now().Sub(began).Round(time.Millisecond).String(), "user", sessionOf(c).UserID)
	return nil
}

// dashboardPage gives the page itself at the addresses that its dashboard shows,
// so that they can be reloaded and kept as bookmarks.
func dashboardPage(c *fiber.Ctx) error {
	if path := c.Path(); path == "/admin" || strings.HasPrefix(path, "/admin/") {
		c.Path("/")
	}
	return c.Next()
}
