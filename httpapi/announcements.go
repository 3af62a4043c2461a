package httpapi

import (
	"errors"
	"math"
	"strconv"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/adminlog"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"

	"github.com/gofiber/fiber/v2"
)

// announcementRoutes: everybody reads and acknowledges, administrators announce.
func (a *App) announcementRoutes(user fiber.Router) {
	user.Get("/announcements", a.announcements)
	user.Post("/announcements", a.requireAdmin, a.announce)
	user.Get("/announcements/reach", a.requireAdmin, a.announcementReach)
	user.Get("/announcements/:announcement", a.requireAdmin, a.announcement)
	user.Post("/announcements/:announcement/ack", a.acknowledge)
	user.Post("/announcements/:announcement/remind", a.requireAdmin, a.remind)
}

type announcementBody struct {
	rtc.Announcement
	Acknowledged bool  `json:"acknowledged"`
	Attention    bool  `json:"attention,omitempty"`
	Ended        int64 `json:"ended,omitempty"` // Unix milliseconds
	Seen         *int  `json:"seen,omitempty"`  // for administrators
	Of           *int  `json:"of,omitempty"`
}

func announcementBodyOf(e announce.Entry, admin bool) announcementBody {
	body := announcementBody{Announcement: *e.Message(), Acknowledged: !e.Mine || !e.SeenAt.IsZero(), Attention: e.Attention}
	if !e.Ended.IsZero() {
		body.Ended = e.Ended.UnixMilli()
	}
	if admin {
		body.Seen, body.Of = &e.Seen, &e.Of
	}
	return body
}

// announcements answers a page that has connected with what waits for its person, and
// otherwise with the newest as well.
func (a *App) announcements(c *fiber.Ctx) error {
	ctx, viewer := c.UserContext(), sessionOf(c).UserID
	bodies := []announcementBody{}
	pending, err := a.cfg.Announce.Pending(ctx, viewer)
	if err != nil {
		return announceFailure(c, err)
	}
	if c.QueryBool("pending") {
		for _, each := range pending {
			bodies = append(bodies, announcementBody{Announcement: *each.Message()})
		}
		return c.JSON(fiber.Map{"announcements": bodies})
	}
	user, err := a.cfg.Accounts.User(ctx, viewer)
	if err != nil {
		return err
	}
	entries, err := a.cfg.Announce.List(ctx, viewer, user.Admin)
	if err != nil {
		return announceFailure(c, err)
	}
	listed := map[string]bool{}
	for _, e := range entries {
		listed[e.Name] = true
		bodies = append(bodies, announcementBodyOf(e, user.Admin))
	}
	for _, each := range pending { // older than the newest, and still not seen
		if !listed[each.Name] {
			bodies = append(bodies, announcementBody{Announcement: *each.Message()})
		}
	}
	return c.JSON(fiber.Map{"announcements": bodies})
}

func (a *App) announce(c *fiber.Ctx) error {
	in, err := readBody[struct{ Announcement, Body, Tag string }](c)
	if err != nil {
		return err
	}
	admin := adminOf(c)
	entry, fresh, err := a.cfg.Announce.Announce(c.UserContext(), announce.Announcement{
		Name: in.Announcement, From: rtc.User{ID: admin.ID, Name: admin.Name}, Body: in.Body, Tag: in.Tag,
	})
	if err != nil {
		return announceFailure(c, err)
	}
	status := fiber.StatusOK
	if fresh {
		status = fiber.StatusCreated
		if err := a.record(c, adminlog.Entry{Action: "announcement.make", Target: orAll(in.Tag)}); err != nil {
			return err
		}
	}
	return c.Status(status).JSON(fiber.Map{"announcement": entry.Name, "of": entry.Of})
}

// orAll names an audience in the log.
func orAll(tag string) string {
	if tag == "" {
		return "*"
	}
	return tag
}

func (a *App) announcementReach(c *fiber.Ctx) error {
	people, err := a.cfg.Announce.Reach(c.UserContext(), c.Query("tag"), adminOf(c).ID)
	if err != nil {
		return announceFailure(c, err)
	}
	return c.JSON(fiber.Map{"people": people})
}

type readerBody struct {
	rtc.User
	At int64 `json:"at"` // Unix milliseconds
}

func (a *App) announcement(c *fiber.Ctx) error {
	entry, seen, missing, err := a.cfg.Announce.Details(c.UserContext(), c.Params("announcement"))
	if err != nil {
		return announceFailure(c, err)
	}
	readers := []readerBody{}
	for _, r := range seen {
		readers = append(readers, readerBody{r.User, r.At.UnixMilli()})
	}
	return c.JSON(struct {
		announcementBody
		Seen    []readerBody `json:"seen"`
		Missing []rtc.User   `json:"missing"`
	}{announcementBodyOf(entry, false), readers, list(missing)})
}

func (a *App) acknowledge(c *fiber.Ctx) error {
	if err := a.cfg.Announce.Acknowledge(c.UserContext(), c.Params("announcement"), sessionOf(c).UserID); err != nil {
		return announceFailure(c, err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *App) remind(c *fiber.Ctx) error {
	people, err := a.cfg.Announce.Remind(c.UserContext(), c.Params("announcement"))
	if err != nil {
		return announceFailure(c, err)
	}
	if err := a.record(c, adminlog.Entry{Action: "announcement.remind", Target: c.Params("announcement")}); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"people": people})
}

// announceFailure words what announce refuses.
func announceFailure(c *fiber.Ctx, err error) error {
	if early, ok := errors.AsType[*announce.EarlyError](err); ok {
		c.Set("Retry-After", strconv.Itoa(int(math.Ceil(early.Wait.Seconds()))))
		return refusal{
			fiber.StatusTooManyRequests, account.CodeRateLimited,
			"They were reminded a moment ago. Try again in " + early.Wait.Round(time.Second).String() + ".", "",
		}
	}
	switch {
	case errors.Is(err, announce.ErrNotFound):
		return fiber.ErrNotFound
	case errors.Is(err, announce.ErrName):
		return refusal{fiber.StatusBadRequest, "bad_request", "announcement must be 8 to 64 of A-Z a-z 0-9 _ -.", "announcement"}
	case errors.Is(err, announce.ErrTaken):
		return refusal{fiber.StatusConflict, "bad_request", "announcement is the name of another announcement. Choose a new one.", "announcement"}
	case errors.Is(err, announce.ErrBody):
		return refusal{fiber.StatusUnprocessableEntity, "invalid_text", "Write 1 to 2000 bytes of text, without control characters.", "body"}
	case errors.Is(err, announce.ErrNobody):
		return refusal{fiber.StatusConflict, "no_audience", "There is nobody to hear it. Choose everybody, or another group.", "tag"}
	case errors.Is(err, account.ErrUnavailable):
		return refusal{fiber.StatusServiceUnavailable, account.CodeUnavailable, "The database does not answer, so nothing was done. Try again in a few seconds.", ""}
	}
	return err
}
