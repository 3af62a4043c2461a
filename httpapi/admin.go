package httpapi

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"fieldphone/httpapi/adminlog"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/segment"

	"github.com/gofiber/fiber/v2"
)

// AdminConfig is what administrators see and change, beside the accounts and the hub.
type AdminConfig struct {
	Node     string
	Version  string
	Started  time.Time
	Log      adminlog.Store
	Settings Settings
	Relay    Relay
	Watch    Watch
	Segments *segment.Holder
	Firewall func() firewall.Site
}

// Settings are those that change while the server runs. Values are JSON by name, like
// limits.kbps; whoever implements it decides which there are.
type Settings interface {
	Settings() SettingsView
	// Preview tells what is wrong with changed settings, and else what they would do.
	// settings is an object of names and values, nested or not.
	Preview(settings json.RawMessage) ([]SettingProblem, []Effect)
	// Change makes all of it or nothing, and logs it. The errors are *SettingsChanged
	// where revision is not the present one, *SettingsRefused, and others.
	Change(ctx context.Context, admin adminlog.Admin, revision string, settings json.RawMessage) error
	// Undo puts back what the entry changed. The errors are *Overtaken, *SettingsRefused,
	// adminlog.ErrUndone, and others.
	Undo(ctx context.Context, admin adminlog.Admin, entry adminlog.Entry) error
}

// SettingsView is the settings as they are.
type SettingsView struct {
	Revision string
	Values   map[string]json.RawMessage
	Fixed    []string // names of those that cannot be changed here
	Defaults map[string]json.RawMessage
}

// SettingProblem is what is wrong with a setting.
type SettingProblem struct {
	Key     string `json:"key"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Effect is what a change would do.
type Effect struct {
	Code   string         `json:"code"`
	Params map[string]any `json:"params"`
}

// SettingsRefused is an error: the settings are wrong.
type SettingsRefused struct{ Problems []SettingProblem }

func (e *SettingsRefused) Error() string {
	text := "the settings are wrong"
	for _, p := range e.Problems {
		text += "; " + p.Key + ": " + p.Message
	}
	return text
}

// SettingsChanged is an error: somebody else changed the settings first.
type SettingsChanged struct {
	By adminlog.Admin // empty: at the server's console
	At time.Time      // zero: before this server started
}

func (e *SettingsChanged) Error() string { return "the settings were changed meanwhile" }

// Overtaken is an error: what is to be undone was changed again since.
type Overtaken struct{ Keys []string }

func (e *Overtaken) Error() string { return "it was changed again since" }

// adminState is what the handlers keep between requests.
type adminState struct {
	live  liveCache
	rates rates
}

// adminRoutes are for administrators alone; see the tests, which try each as somebody else.
func (a *App) adminRoutes(user fiber.Router) {
	admin := user.Group("/admin", a.requireAdmin)
	admin.Get("/live", a.adminLive)
	admin.Get("/settings", a.adminSettings)
	admin.Post("/settings/preview", a.previewSettings)
	admin.Put("/settings", a.changeSettings)
	admin.Get("/log", a.adminLog)
	admin.Post("/log/:id/undo", a.undo)
	admin.Get("/users", a.adminUsers)
	admin.Patch("/users/:id", a.changeUser)
	admin.Post("/users/:id/sign-out", a.signOutUser)
	admin.Delete("/allocations/:id", a.endAllocation)
	admin.Delete("/calls/:id", a.endCall)
	admin.Get("/firewall", a.adminFirewall)
	admin.Post("/path-tests", a.startPathTest)
	admin.Get("/path-tests/:id", a.pathTest)
}

type adminKey struct{}

// requireAdmin asks the accounts at each request, so that who is no administrator any more
// is refused at once.
func (a *App) requireAdmin(c *fiber.Ctx) error {
	user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	if !user.Admin || user.Disabled {
		return refusal{fiber.StatusForbidden, "admin_required", "Only administrators can do this.", ""}
	}
	c.Locals(adminKey{}, adminlog.Admin{ID: user.ID, Name: user.Name})
	return c.Next()
}

func adminOf(c *fiber.Ctx) adminlog.Admin {
	admin, _ := c.Locals(adminKey{}).(adminlog.Admin)
	return admin
}

// record writes what an administrator did to the server's log and to that of the
// administrators.
func (a *App) record(c *fiber.Ctx, entry adminlog.Entry) error {
	entry.At, entry.Node, entry.Admin = a.cfg.Now(), a.cfg.Admin.Node, adminOf(c)
	a.cfg.Logger.Info("administration", "action", entry.Action, "target", entry.Target, "admin", entry.Admin.ID)
	if _, err := a.cfg.Admin.Log.Append(c.UserContext(), entry); err != nil {
		return settingsFailure(err)
	}
	a.admin.live.forget()
	return nil
}

func (a *App) endAllocation(c *fiber.Ctx) error {
	id, err := strconv.ParseUint(c.Params("id"), 10, 64)
	if err != nil {
		return fiber.ErrNotFound
	}
	target, ok := a.cfg.Admin.Relay.End(id)
	if !ok {
		return fiber.ErrNotFound
	}
	if err := a.record(c, adminlog.Entry{Action: "allocation.end", Target: target}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *App) endCall(c *fiber.Ctx) error {
	id := c.Params("id")
	if !a.cfg.Hub.EndCall(id) {
		return fiber.ErrNotFound
	}
	if err := a.record(c, adminlog.Entry{Action: "call.end", Target: id}); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// adminFirewall writes the rules for what is configured, for a router in between or for the
// server's own machine.
func (a *App) adminFirewall(c *fiber.Ctx) error {
	at := firewall.At(c.Query("at", string(firewall.Router)))
	if at != firewall.Router && at != firewall.Server {
		return refusal{fiber.StatusBadRequest, "bad_request", "The firewall is at the router or at the server.", "at"}
	}
	site := a.cfg.Admin.Firewall()
	if name := c.Query("segment"); name != "" {
		site.Segments = slices.DeleteFunc(slices.Clone(site.Segments), func(s segment.Segment) bool { return s.Name != name })
	}
	openings := firewall.Openings(site)
	texts := []ruleBody{}
	for _, known := range firewall.Flavours() {
		if wanted := c.Query("flavour"); wanted == "" || wanted == string(known.Flavour) {
			texts = append(texts, ruleBody{string(known.Flavour), known.Label, firewall.Text(known.Flavour, openings, at)})
		}
	}
	return c.JSON(fiber.Map{"openings": list(openings), "flavours": texts})
}

type ruleBody struct {
	Flavour string `json:"flavour"`
	Label   string `json:"label"`
	Text    string `json:"text"`
}

// list is items as JSON: [] where there are none.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
