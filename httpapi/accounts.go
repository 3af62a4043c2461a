package httpapi

import (
	"encoding/json"
	"errors"

	"fieldphone/httpapi/account"

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
// It is as it came: Fiber's Body would unpack it first, however large that gets.
func readBody[T any](c *fiber.Ctx) (T, error) {
	var body T
	if err := json.Unmarshal(c.Request().Body(), &body); err != nil {
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
	a.refreshPeople(c)
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
	a.refreshPeople(c) // a guest is gone with it
	clearCookie(c)
	return c.SendStatus(fiber.StatusNoContent)
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
