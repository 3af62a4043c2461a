package httpapi

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/adminlog"

	"github.com/gofiber/fiber/v2"
)

type settingsBody struct {
	Revision string         `json:"revision"`
	Settings map[string]any `json:"settings"`
	Fixed    []string       `json:"fixed"`
	Defaults map[string]any `json:"defaults"`
}

func (a *App) adminSettings(c *fiber.Ctx) error {
	view := a.cfg.Admin.Settings.Settings()
	return c.JSON(settingsBody{view.Revision, nested(view.Values), list(view.Fixed), nested(view.Defaults)})
}

// nested makes objects of the dots in the names of settings.
func nested(values map[string]json.RawMessage) map[string]any {
	object := map[string]any{}
	for name, value := range values {
		section, rest, inside := strings.Cut(name, ".")
		if !inside {
			object[name] = value
			continue
		}
		group, _ := object[section].(map[string]any)
		if group == nil {
			group = map[string]any{}
			object[section] = group
		}
		group[rest] = value
	}
	return object
}

func (a *App) previewSettings(c *fiber.Ctx) error {
	in, err := readBody[struct{ Settings json.RawMessage }](c)
	if err != nil {
		return err
	}
	problems, effects := a.cfg.Admin.Settings.Preview(in.Settings)
	return c.JSON(fiber.Map{"problems": list(problems), "effects": list(effects)})
}

func (a *App) changeSettings(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Revision string
		Settings json.RawMessage
	}](c)
	if err != nil {
		return err
	}
	if in.Revision == "" {
		return refusal{fiber.StatusBadRequest, "bad_request", "Name the revision that the change is made to.", "revision"}
	}
	if err := a.cfg.Admin.Settings.Change(c.UserContext(), adminOf(c), in.Revision, in.Settings); err != nil {
		return settingsFailure(err)
	}
	a.admin.live.forget()
	return a.adminSettings(c)
}

// detailed is a refusal that tells more than a sentence.
type detailed struct {
	status int
	fields errorFields
}

func (d detailed) Error() string { return d.fields.Code + ": " + d.fields.Message }

type whoBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// settingsFailure turns what Settings and adminlog.Store name into what a client may see.
func settingsFailure(err error) error {
	if refused, ok := errors.AsType[*SettingsRefused](err); ok {
		return detailed{fiber.StatusUnprocessableEntity, errorFields{
			Code: "settings_invalid", Message: "The settings are wrong; nothing was changed. See problems.", Problems: refused.Problems,
		}}
	}
	if changed, ok := errors.AsType[*SettingsChanged](err); ok {
		fields := errorFields{
			Code: "settings_changed", Message: "Somebody else changed the settings meanwhile. Look at them again, then repeat your change.",
			By: &whoBody{changed.By.ID, changed.By.Name},
		}
		if !changed.At.IsZero() {
			fields.At = changed.At.UnixMilli()
		}
		return detailed{fiber.StatusConflict, fields}
	}
	if overtaken, ok := errors.AsType[*Overtaken](err); ok {
		return detailed{fiber.StatusConflict, errorFields{
			Code: "undo_overtaken", Keys: overtaken.Keys,
			Message: "Changed again since: " + strings.Join(overtaken.Keys, ", ") + ". Undo the later change first, or set what you want.",
		}}
	}
	switch {
	case errors.Is(err, adminlog.ErrUndone):
		return refusal{fiber.StatusConflict, "undone_already", "This was undone already.", ""}
	case errors.Is(err, adminlog.ErrNotFound):
		return fiber.ErrNotFound
	case errors.Is(err, account.ErrUnavailable):
		return refusal{fiber.StatusServiceUnavailable, account.CodeUnavailable, "The database does not answer, so nothing was changed. Try again in a few seconds.", ""}
	}
	return err
}

// How much of the log one answer holds.
const logPage = 50

type entryBody struct {
	ID       int64           `json:"id"`
	At       int64           `json:"at"` // Unix milliseconds
	Node     string          `json:"node"`
	Admin    whoBody         `json:"admin"`
	Action   string          `json:"action"`
	Target   string          `json:"target"`
	Before   json.RawMessage `json:"before,omitempty"`
	After    json.RawMessage `json:"after,omitempty"`
	UndoneBy int64           `json:"undone_by,omitempty"`
	Undoes   int64           `json:"undoes,omitempty"`
	CanUndo  bool            `json:"can_undo"`
}

func (a *App) adminLog(c *fiber.Ctx) error {
	before, err := strconv.ParseInt(c.Query("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return refusal{fiber.StatusBadRequest, "bad_request", "Give the id of an entry.", "before"}
	}
	entries, err := a.cfg.Admin.Log.Entries(c.UserContext(), before, logPage+1)
	if err != nil {
		return settingsFailure(err)
	}
	bodies := []entryBody{}
	for _, e := range entries[:min(len(entries), logPage)] {
		bodies = append(bodies, entryBody{
			e.ID, e.At.UnixMilli(), e.Node, whoBody(e.Admin), e.Action, e.Target, e.Before, e.After, e.UndoneBy, e.Undoes, a.canUndo(e) == nil,
		})
	}
	return c.JSON(fiber.Map{"entries": bodies, "more": len(entries) > logPage})
}

// ofSettings tells the entries that Settings undoes from those about users.
func ofSettings(e adminlog.Entry) bool { return strings.HasPrefix(e.Action, "settings.") }

func (a *App) canUndo(e adminlog.Entry) error {
	switch {
	case e.UndoneBy != 0:
		return adminlog.ErrUndone
	case e.Before == nil:
		return refusal{fiber.StatusConflict, "cannot_undo", "This cannot be undone.", ""}
	case ofSettings(e) && e.Node != a.cfg.Admin.Node:
		return refusal{fiber.StatusConflict, "cannot_undo", "This was done on the server " + e.Node + ". Undo it there.", ""}
	}
	return nil
}

func (a *App) undo(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fiber.ErrNotFound
	}
	entry, err := a.cfg.Admin.Log.Entry(c.UserContext(), id)
	if err == nil {
		err = a.canUndo(entry)
	}
	if err != nil {
		return settingsFailure(err)
	}
	if ofSettings(entry) {
		err = a.cfg.Admin.Settings.Undo(c.UserContext(), adminOf(c), entry)
	} else {
		err = a.undoUser(c, entry)
	}
	if err != nil {
		return settingsFailure(err)
	}
	a.admin.live.forget()
	return c.SendStatus(fiber.StatusNoContent)
}
