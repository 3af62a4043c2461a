package httpapi

import (
	"context"
	"errors"

	"fieldphone/httpapi/adminlog"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"

	"github.com/gofiber/fiber/v2"
)

// Attention lets an administrator speak to an audience; see rtc.AttentionID.
type Attention interface {
	// Open permits one call to the endpoint, soon, and names it. The errors are
	// *AttentionBusy, announce.ErrNobody, and others.
	Open(ctx context.Context, admin rtc.User, tag string) (call string, err error)
	// Now tells of the call that goes on; false means none.
	Now() (AttentionView, bool)
}

// AttentionView is an attention call that goes on.
type AttentionView struct {
	announce.Announcement
	Listening int // devices
}

// AttentionBusy is an error: somebody else speaks.
type AttentionBusy struct{ By rtc.User }

func (e *AttentionBusy) Error() string { return e.By.ID + " is speaking" }

func (a *App) attentionRoutes(user fiber.Router) {
	user.Get("/attention", a.requireAdmin, a.attentionNow)
	user.Post("/attention", a.requireAdmin, a.openAttention)
}

func (a *App) openAttention(c *fiber.Ctx) error {
	in, err := readBody[struct{ Tag string }](c)
	if err != nil {
		return err
	}
	admin := adminOf(c)
	call, err := a.cfg.Attention.Open(c.UserContext(), rtc.User{ID: admin.ID, Name: admin.Name}, in.Tag)
	if busy, ok := errors.AsType[*AttentionBusy](err); ok {
		return refusal{fiber.StatusConflict, "attention_busy", busy.By.Name + " is speaking. Wait for the end.", ""}
	}
	if err != nil {
		return announceFailure(c, err)
	}
	if err := a.record(c, adminlog.Entry{Action: "attention.speak", Target: orAll(in.Tag)}); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"call": call, "to": rtc.AttentionID})
}

func (a *App) attentionNow(c *fiber.Ctx) error {
	view, on := a.cfg.Attention.Now()
	if !on {
		return c.JSON(fiber.Map{"on": false})
	}
	return c.JSON(fiber.Map{
		"on": true, "call": view.Name, "from": view.From, "tag": view.Tag, "since": view.At.UnixMilli(), "listening": view.Listening,
	})
}
