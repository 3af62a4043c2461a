package httpapi

import (
	"encoding/json"
	"errors"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"

	"github.com/gofiber/fiber/v2"
)

type userBody struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
	Guest bool   `json:"guest,omitempty"`
}

type grantBody struct {
	Token     string   `json:"token"`
	ExpiresAt int64    `json:"expires_at"`
	User      userBody `json:"user"`
}

func bodyOf(u account.User) userBody { return userBody{u.ID, u.Name, u.Admin, u.Guest()} }

// readBody reads the JSON object of a request, whatever its content type says.
func readBody[T any](c *fiber.Ctx) (T, error) {
	var body T
	if err := json.Unmarshal(c.Body(), &body); err != nil {
		r := refusal{fiber.StatusBadRequest, "bad_request", "The body must be a JSON object; see httpapi/openapi.yaml.", ""}
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			r.field = typeErr.Field
		}
		return body, r
	}
	return body, nil
}

func (a *App) register(c *fiber.Ctx) error {
	in, err := readBody[account.Newcomer](c)
	if err != nil {
		return err
	}
	user, err := a.cfg.Accounts.Register(c.UserContext(), in, remote(c))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"user": bodyOf(user)})
}

func (a *App) login(c *fiber.Ctx) error {
	in, err := readBody[struct{ ID, Password string }](c)
	if err != nil {
		return err
	}
	grant, err := a.cfg.Accounts.SignIn(c.UserContext(), in.ID, in.Password, remote(c))
	if err != nil {
		return err
	}
	return a.sendGrant(c, grant)
}

// sendGrant signs the browser in.
func (a *App) sendGrant(c *fiber.Ctx, grant account.Grant) error {
	a.setCookie(c, grant)
	return c.JSON(grantBody{grant.Token, grant.Session.ExpiresAt.Unix(), bodyOf(grant.User)})
}

func (a *App) renew(c *fiber.Ctx) error {
	token, _ := c.Locals(tokenKey{}).(string)
	grant, renewed, err := a.cfg.Accounts.Renew(c.UserContext(), token)
	if err != nil {
		return err
	}
	if !renewed { // too early: what there is still serves
		user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
		if err != nil {
			return err
		}
		grant = account.Grant{Token: token, Session: sessionOf(c), User: user}
	}
	return a.sendGrant(c, grant)
}

func (a *App) logout(c *fiber.Ctx) error {
	if err := a.cfg.Accounts.SignOut(c.UserContext(), sessionOf(c).ID); err != nil {
		return err
	}
	clearCookie(c)
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *App) me(c *fiber.Ctx) error {
	user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	return c.JSON(bodyOf(user))
}

func (a *App) rename(c *fiber.Ctx) error {
	in, err := readBody[struct{ Name string }](c)
	if err != nil {
		return err
	}
	user, err := a.cfg.Accounts.Rename(c.UserContext(), sessionOf(c).UserID, in.Name)
	if err != nil {
		return err
	}
	a.cfg.Hub.Rename(rtc.User{ID: user.ID, Name: user.Name})
	return c.JSON(bodyOf(user))
}

func (a *App) changePassword(c *fiber.Ctx) error {
	in, err := readBody[struct{ Current, New string }](c)
	if err != nil {
		return err
	}
	grant, err := a.cfg.Accounts.ChangePassword(c.UserContext(), sessionOf(c).UserID, in.Current, in.New)
	if err != nil {
		return err
	}
	return a.sendGrant(c, grant)
}

func (a *App) users(c *fiber.Ctx) error {
	users, err := a.cfg.Accounts.Users(c.UserContext())
	if err != nil {
		return err
	}
	bodies := []userBody{}
	for _, u := range users {
		if !u.Disabled {
			bodies = append(bodies, bodyOf(u))
		}
	}
	return c.JSON(fiber.Map{"users": bodies})
}
