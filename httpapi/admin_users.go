package httpapi

import (
	"encoding/json"
	"errors"
	"slices"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/adminlog"
	"fieldphone/httpapi/people"
	"fieldphone/rtc"

	"github.com/gofiber/fiber/v2"
)

type accountBody struct {
	userBody
	Disabled   bool  `json:"disabled"`
	CreatedAt  int64 `json:"created_at"`            // Unix milliseconds
	GuestUntil int64 `json:"guest_until,omitempty"` // Unix milliseconds

	Tags []string `json:"tags,omitempty"`
}

func (a *App) accountBodyOf(u account.User) accountBody {
	body := accountBody{userBody: bodyOf(u), Disabled: u.Disabled, CreatedAt: u.CreatedAt.UnixMilli()}
	if u.Guest() {
		body.GuestUntil = u.GuestUntil.UnixMilli()
	}
	if person, ok := a.cfg.People.Person(u.ID); ok {
		body.Tags = person.Tags
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
		bodies = append(bodies, a.accountBodyOf(u))
	}
	return c.JSON(fiber.Map{"users": bodies})
}

// userChange is what a request, or an entry of the log, says of a user.
type userChange struct {
	Name     *string   `json:"name,omitempty"`
	Admin    *bool     `json:"admin,omitempty"`
	Disabled *bool     `json:"disabled,omitempty"`
	Tags     *[]string `json:"tags,omitempty"`
}

func (a *App) changeUser(c *fiber.Ctx) error {
	in, err := readBody[userChange](c)
	if err != nil {
		return err
	}
	if in == (userChange{}) {
		return refusal{fiber.StatusBadRequest, "bad_request", "Give name, admin, disabled or tags.", ""}
	}
	after, err := a.changeAndRecord(c, c.Params("id"), in, 0)
	if err != nil {
		return settingsFailure(err)
	}
	return c.JSON(a.accountBodyOf(after))
}

// changeAndRecord logs what was changed, if anything was.
func (a *App) changeAndRecord(c *fiber.Ctx, id string, change userChange, undoes int64) (account.User, error) {
	if change.Tags != nil { // refused before anything is done
		if _, err := people.CleanTags(*change.Tags); err != nil {
			return account.User{}, err
		}
	}
	before, after, err := a.cfg.Accounts.ChangeUser(c.UserContext(), id,
		account.UserChange{Name: change.Name, Admin: change.Admin, Disabled: change.Disabled})
	if err != nil {
		return account.User{}, err
	}
	a.refreshPeople(c)
	was, is, actions := differing(before, after)
	var failed error // what was done before is logged all the same
	if change.Tags != nil {
		before, after, err := a.cfg.People.SetTags(c.UserContext(), after.ID, *change.Tags)
		if failed = err; err == nil && !slices.Equal(before.Tags, after.Tags) {
			was.Tags, is.Tags = listOf(before.Tags), listOf(after.Tags)
			actions = append(actions, "user.tags")
		}
	}
	if len(actions) == 0 {
		return after, failed
	}
	if is.Name != nil {
		a.cfg.Hub.Rename(rtc.User{ID: after.ID, Name: after.Name})
	}
	action := "user.change"
	if len(actions) == 1 {
		action = actions[0]
	}
	entry := adminlog.Entry{Action: action, Target: after.ID, Undoes: undoes}
	if entry.Before, err = json.Marshal(was); err == nil {
		entry.After, err = json.Marshal(is)
	}
	if err != nil {
		return account.User{}, err
	}
	return after, errors.Join(failed, a.record(c, entry))
}

// listOf is never null, so that it can be put back.
func listOf(tags []string) *[]string {
	list := append([]string{}, tags...)
	return &list
}

// differing names what differs between two states of a user.
func differing(before, after account.User) (was, is userChange, actions []string) {
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
	return was, is, actions
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
	if person, _ := a.cfg.People.Person(entry.Target); is.Tags != nil && !slices.Equal(*is.Tags, person.Tags) {
		overtaken = append(overtaken, "tags")
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
	a.refreshPeople(c) // a guest is gone with it
	if err := a.record(c, adminlog.Entry{Action: "user.sign_out", Target: user.ID}); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"sessions": ended})
}
