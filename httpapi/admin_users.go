package httpapi

import (
	"encoding/json"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/adminlog"
	"fieldphone/rtc"

	"github.com/gofiber/fiber/v2"
)

type accountBody struct {
	userBody
	Disabled   bool  `json:"disabled"`
	CreatedAt  int64 `json:"created_at"`            // Unix milliseconds
	GuestUntil int64 `json:"guest_until,omitempty"` // Unix milliseconds
}

func accountBodyOf(u account.User) accountBody {
	body := accountBody{userBody: bodyOf(u), Disabled: u.Disabled, CreatedAt: u.CreatedAt.UnixMilli()}
	if u.Guest() {
		body.GuestUntil = u.GuestUntil.UnixMilli()
	}
	return body
}

func (a *App) adminUsers(c *fiber.Ctx) error {
	users, err := a.cfg.Accounts.Users(c.UserContext())
	if err != nil {
		return err
	}
	bodies := []accountBody{}
	for _, u := range users {
		bodies = append(bodies, accountBodyOf(u))
	}
	return c.JSON(fiber.Map{"users": bodies})
}

// userChange is what a request, or an entry of the log, says of a user.
type userChange struct {
	Name     *string `json:"name,omitempty"`
	Admin    *bool   `json:"admin,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
}

func (a *App) changeUser(c *fiber.Ctx) error {
	in, err := readBody[userChange](c)
	if err != nil {
		return err
	}
	if in == (userChange{}) {
		return refusal{fiber.StatusBadRequest, "bad_request", "Give name, admin or disabled.", ""}
	}
	after, err := a.changeAndRecord(c, c.Params("id"), in, 0)
	if err != nil {
		return settingsFailure(err)
	}
	return c.JSON(accountBodyOf(after))
}

// changeAndRecord logs what was changed, if anything was.
func (a *App) changeAndRecord(c *fiber.Ctx, id string, change userChange, undoes int64) (account.User, error) {
	before, after, err := a.cfg.Accounts.ChangeUser(c.UserContext(), id, account.UserChange(change))
	if err != nil {
		return account.User{}, err
	}
	was, is, action := differing(before, after)
	if action == "" {
		return after, nil
	}
	if is.Name != nil {
		a.cfg.Hub.Rename(rtc.User{ID: after.ID, Name: after.Name})
	}
	entry := adminlog.Entry{Action: action, Target: after.ID, Undoes: undoes}
	if entry.Before, err = json.Marshal(was); err == nil {
		entry.After, err = json.Marshal(is)
	}
	if err != nil {
		return account.User{}, err
	}
	return after, a.record(c, entry)
}

// differing names what differs between two states of a user: nothing if action is empty.
func differing(before, after account.User) (was, is userChange, action string) {
	var actions []string
	if before.Name != after.Name {
		was.Name, is.Name = &before.Name, &after.Name
		actions = append(actions, "user.rename")
	}
	if before.Admin != after.Admin {
		was.Admin, is.Admin = &before.Admin, &after.Admin
		actions = append(actions, map[bool]string{true: "user.promote", false: "user.demote"}[after.Admin])
	}
	if before.Disabled != after.Disabled {
		was.Disabled, is.Disabled = &before.Disabled, &after.Disabled
		actions = append(actions, map[bool]string{true: "user.disable", false: "user.enable"}[after.Disabled])
	}
	switch len(actions) {
	case 0:
		return was, is, ""
	case 1:
		return was, is, actions[0]
	}
	return was, is, "user.change"
}

// undoUser puts back what an entry changed about a user, unless it was changed again.
func (a *App) undoUser(c *fiber.Ctx, entry adminlog.Entry) error {
	var was, is userChange
	if err := json.Unmarshal(entry.Before, &was); err != nil {
		return err
	}
	if err := json.Unmarshal(entry.After, &is); err != nil {
		return err
	}
	now, err := a.cfg.Accounts.User(c.UserContext(), entry.Target)
	if err != nil {
		return err
	}
	var overtaken []string
	if is.Name != nil && *is.Name != now.Name {
		overtaken = append(overtaken, "name")
	}
	if is.Admin != nil && *is.Admin != now.Admin {
		overtaken = append(overtaken, "admin")
	}
	if is.Disabled != nil && *is.Disabled != now.Disabled {
		overtaken = append(overtaken, "disabled")
	}
	if len(overtaken) > 0 {
		return &Overtaken{Keys: overtaken}
	}
	_, err = a.changeAndRecord(c, entry.Target, was, entry.ID)
	return err
}

func (a *App) signOutUser(c *fiber.Ctx) error {
	user, err := a.cfg.Accounts.User(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	ended, err := a.cfg.Accounts.SignOutEverywhere(c.UserContext(), user.ID)
	if err != nil {
		return err
	}
	if err := a.record(c, adminlog.Entry{Action: "user.sign_out", Target: user.ID}); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"sessions": ended})
}
