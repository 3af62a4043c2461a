package httpapi

import (
	"time"

	"fieldphone/httpapi/account"

	"github.com/gofiber/fiber/v2"
)

// site tells the page, before anybody has signed in, what it may offer.
func (a *App) site(c *fiber.Ctx) error {
	rules := a.cfg.Accounts.Registration()
	return c.JSON(fiber.Map{
		"name": a.cfg.SiteName, "policy": rules.Policy, "guests": rules.Guests, "users_may_invite": rules.UsersMayInvite,
	})
}

func (a *App) guest(c *fiber.Ctx) error {
	in, err := readBody[struct{ Name, Invite string }](c)
	if err != nil {
		return err
	}
	grant, err := a.cfg.Accounts.Guest(c.UserContext(), in.Name, in.Invite, remote(c))
	if err != nil {
		return err
	}
	a.refreshPeople(c)
	return a.sendGrant(c, grant)
}

type inviteBody struct {
	ID        string `json:"id"`
	CreatedBy string `json:"created_by,omitempty"`
	CreatedAt int64  `json:"created_at"`
	ExpiresAt int64  `json:"expires_at"`
	Uses      int    `json:"uses"`
	Used      int    `json:"used"`
	State     string `json:"state"`
}

// inviteStates names why an invite cannot be used.
var inviteStates = map[string]string{
	"": "open", account.CodeInviteRevoked: "revoked", account.CodeInviteUsedUp: "used_up", account.CodeInviteExpired: "expired",
}

func (a *App) inviteBodyOf(i account.Invite) inviteBody {
	return inviteBody{
		ID: i.ID, CreatedBy: i.CreatedBy, CreatedAt: i.CreatedAt.Unix(), ExpiresAt: i.ExpiresAt.Unix(),
		Uses: i.Uses, Used: i.Used, State: inviteStates[account.CodeOf(i.Check(a.cfg.Now()))],
	}
}

func (a *App) createInvite(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Uses      int   `json:"uses"`
		ExpiresIn int64 `json:"expires_in"`
	}](c)
	if err != nil {
		return err
	}
	// Clamped, so that no number of seconds overflows into a good duration.
	seconds := max(-1, min(in.ExpiresIn, int64(2*account.MaxInviteTTL/time.Second)))
	invite, code, err := a.cfg.Accounts.NewInvite(c.UserContext(), sessionOf(c).UserID, in.Uses, time.Duration(seconds)*time.Second)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"invite": a.inviteBodyOf(invite), "code": code})
}

func (a *App) invites(c *fiber.Ctx) error {
	invites, err := a.cfg.Accounts.Invites(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	bodies := []inviteBody{}
	for _, i := range invites {
		bodies = append(bodies, a.inviteBodyOf(i))
	}
	return c.JSON(fiber.Map{"invites": bodies})
}

func (a *App) revokeInvite(c *fiber.Ctx) error {
	if err := a.cfg.Accounts.RevokeInvite(c.UserContext(), sessionOf(c).UserID, c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// checkInvite tells whoever holds a code what it is worth. The code comes in
// the body: a path would be logged.
func (a *App) checkInvite(c *fiber.Ctx) error {
	in, err := readBody[struct{ Invite string }](c)
	if err != nil {
		return err
	}
	invite, by, err := a.cfg.Accounts.LookUpInvite(c.UserContext(), in.Invite, remote(c))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"invited_by": by.Name, "expires_at": invite.ExpiresAt.Unix(), "uses_left": invite.Uses - invite.Used})
}

func (a *App) claimAdmin(c *fiber.Ctx) error {
	in, err := readBody[struct{ Code string }](c)
	if err != nil {
		return err
	}
	user, err := a.cfg.Accounts.ClaimAdmin(c.UserContext(), sessionOf(c).UserID, in.Code, remote(c))
	if err != nil {
		return err
	}
	a.refreshPeople(c)
	a.cfg.Logger.Info("the first administrator is there", "user", user.ID)
	return c.JSON(bodyOf(user))
}
