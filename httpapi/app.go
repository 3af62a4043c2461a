// Package httpapi is the HTTP side of Fieldphone, a Fiber app: the page, the
// API of openapi.yaml, the signalling WebSocket, and, on a port of its own, the
// plain-HTTP page that helps a device to trust this site.
package httpapi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/crew"
	"fieldphone/httpapi/files"
	"fieldphone/httpapi/onboard"
	"fieldphone/httpapi/people"
	"fieldphone/rtc/announce"
	"fieldphone/rtc/chat"
	"fieldphone/rtc/hub"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/etag"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
	"github.com/valyala/fasthttp"
)

// Config is what the app is made of.
type Config struct {
	SiteName  string // what the page calls this site; may be empty
	Accounts  *account.Service
	People    *people.Service
	Hub       *hub.Hub
	Announce  *announce.Service
	Attention Attention
	Chat      *chat.Service
	ICE       ICEConfig
	Path      PathConfig
	Page      fs.FS // the built page
	Files     *files.Service

	Site      func() onboard.Site // what posters tell of; asked each time
	StartPort uint16              // of the plain-HTTP start page
	Metrics   http.Handler
	Admin     AdminConfig
	Ready     []Check
	Export    []ExportPart // besides the profile

	BodyBytes    int // largest request body
	MessageBytes int // largest signalling frame
	SendQueue    int // frames waiting for one connection

	// Seen is told, before a signed-in request is answered, where it came from.
	// It must return at once.
	Seen func(session account.Session, remote netip.Addr)

	Now    func() time.Time
	Logger *slog.Logger
}

// Check is a part of the server that /readyz asks.
type Check struct {
	Name string
	Ask  func(context.Context) error
}

// How long a connection may take or stay idle.
const (
	readTimeout  = 15 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = 75 * time.Second
)

// maxBody is where Fiber stops to read a request. A chunk of a file may be as
// large, all others as Config.BodyBytes says.
const maxBody = 1 << 20

// App serves HTTP on any number of listeners.
type App struct {
	cfg     Config
	fiber   *fiber.App
	streams eventStreams
	counted counters
	sweeps  sweepers
	admin   adminState
	crew    crew.Crew // of WebSockets
	// arrivals, frames and buffers are what they read, handle and write with.
	arrivals, frames, buffers sync.Pool
}

// New makes the app; every route is on this page.
func New(cfg Config) *App {
	a := &App{cfg: cfg, fiber: newFiber(cfg.Logger)}
	f := a.fiber
	f.Use(a.logRequests, securityHeaders)

	f.Get("/healthz", a.healthz)
	f.Get("/readyz", a.readyz)
	f.Get("/metrics", adaptor.HTTPHandler(cfg.Metrics))
	f.Get("/trust", noStore, a.trust)

	api := f.Group("/api/v1", noStore, sameOrigin)
	api.Put("/me/picture", a.requireSession, a.putPicture) // has its own bound
	api.Use(a.limitBody)
	api.Get("/site", a.site)
	api.Post("/register", a.register)
	api.Post("/guest", a.guest)
	api.Post("/invites/check", a.checkInvite)
	api.Post("/login", a.login)

	user := api.Group("", a.requireSession)
	user.Post("/logout", a.logout)
	user.Post("/renew", a.renew)
	user.Get("/poster", a.poster)
	user.Get("/me", a.me)
	user.Patch("/me", a.changeMe)
	user.Delete("/me", a.deleteMe)
	user.Get("/me/export", a.export)
	user.Get("/me/contacts", a.contacts)
	user.Put("/me/contacts/:id", a.changeContact)
	user.Delete("/me/picture", a.removePicture)
	user.Post("/me/password", a.changePassword)
	user.Get("/users", a.users)
	user.Get("/users/:id/picture", a.picture)
	user.Post("/invites", a.createInvite)
	user.Get("/invites", a.invites)
	user.Delete("/invites/:id", a.revokeInvite)
	user.Post("/admin/claim", a.claimAdmin)
	user.Get("/ice", a.ice)
	user.Get("/path", a.path)
	user.Post("/path/sweep", a.sweep)
	user.Get("/ws", a.webSocket())
	user.Add(fiber.MethodGet, "/events", a.events) // Get would answer HEAD with a stream as well
	user.Post("/events/:stream", a.sendEvents)
	a.announcementRoutes(user)
	a.attentionRoutes(user)
	a.fileRoutes(user)
	a.chatRoutes(user)
	a.adminRoutes(user)
	api.Use(func(*fiber.Ctx) error { return fiber.ErrNotFound })

	f.Use(dashboardPage, compress.New(), etag.New(), cacheAssets, filesystem.New(filesystem.Config{Root: http.FS(cfg.Page)}))
	f.Use(func(*fiber.Ctx) error { return fiber.ErrNotFound })
	f.Handler() // builds the routes, so that Serve may be called more than once
	return a
}

func newFiber(log *slog.Logger) *fiber.App {
	app := fiber.New(fiber.Config{
		ReduceMemoryUsage:     true, // a connection that waits holds no buffers
		AppName:               "Fieldphone",
		DisableStartupMessage: true,
		Immutable:             true, // what handlers keep outlives the request
		BodyLimit:             maxBody,
		ReadBufferSize:        8 << 10, // also bounds the request's header
		ReadTimeout:           readTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		ErrorHandler:          errorHandler(log),
	})
	server := app.Server()
	server.KeepHijackedConns = true // see webSocket
	answer := server.ErrorHandler
	server.ErrorHandler = func(c *fasthttp.RequestCtx, err error) {
		if conn, ok := c.Conn().(*frameConn); ok && errors.Is(err, fasthttp.ErrBodyTooLarge) {
			conn.refused = true
		}
		answer(c, err)
	}
	return app
}

// Serve answers on ln until ln is closed or Shutdown is called.
func (a *App) Serve(ln net.Listener) error { return a.fiber.Server().Serve(frameListener{ln}) }

// Shutdown closes the listeners and waits for running requests until ctx ends.
func (a *App) Shutdown(ctx context.Context) error {
	a.crew.Stop()
	return a.fiber.ShutdownWithContext(ctx)
}

// remote is the address that the request came from.
func remote(c *fiber.Ctx) netip.Addr { return addrOf(c.Context().RemoteAddr()) }

// local is the server address that the client reached.
func local(c *fiber.Ctx) netip.Addr { return addrOf(c.Context().LocalAddr()) }

func addrOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
