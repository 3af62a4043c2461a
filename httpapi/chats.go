package httpapi

import (
	"strconv"
	"strings"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"

	"github.com/gofiber/fiber/v2"
)

func (a *App) chatRoutes(user fiber.Router) {
	user.Get("/chats", a.chats)
	user.Get("/chats/messages", a.messages)
	user.Get("/chats/search", a.searchTexts)
	user.Get("/chats/marks", a.chatMarks)
	user.Post("/groups", a.createGroup)
	user.Get("/groups/:group", a.group)
	user.Patch("/groups/:group", a.changeGroup)
	user.Get("/calls", a.pastCalls)
	user.Put("/calls/seen", a.seeCalls)
}

type chatBody struct {
	Chat      string           `json:"chat"`
	Name      string           `json:"name"`
	At        int64            `json:"at"`
	Rev       int64            `json:"rev"`
	Pos       int64            `json:"pos"`
	Read      int64            `json:"read"`
	Delivered int64            `json:"delivered"`
	Unread    int              `json:"unread"`
	Last      *rtc.TextMessage `json:"last,omitempty"`
	Peer      *peerBody        `json:"peer,omitempty"`
	Group     *groupPlace      `json:"group,omitempty"`
}

type peerBody struct {
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`
}

type groupPlace struct {
	Members int  `json:"members"`
	Admin   bool `json:"admin"`
	Left    bool `json:"left,omitempty"`
}

type groupBody struct {
	Group     string            `json:"group"`
	Name      string            `json:"name"`
	CreatedAt int64             `json:"created_at"`
	Members   []groupMemberBody `json:"members"`
}

type groupMemberBody struct {
	rtc.User
	Admin bool `json:"admin"`
}

type messagesBody struct {
	Messages []rtc.TextMessage `json:"messages"`
	Rev      *int64            `json:"rev,omitempty"`
	More     bool              `json:"more"`
}

type pastCallBody struct {
	Call string   `json:"call"`
	From rtc.User `json:"from"`
	To   rtc.User `json:"to"`
	rtc.PastCall
	ServerTime int64 `json:"server_time"`
}

// number reads a query parameter that is a whole number from 0; 0 if it is
// absent.
func number(c *fiber.Ctx, name string) (int64, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, refusal{fiber.StatusBadRequest, "bad_request", "The parameter must be a whole number from 0; see httpapi/openapi.yaml.", name}
	}
	return n, nil
}

// page reads before and limit.
func page(c *fiber.Ctx) (before int64, limit int, err error) {
	if before, err = number(c, "before"); err != nil {
		return 0, 0, err
	}
	n, err := number(c, "limit")
	return before, int(min(n, 1<<20)), err
}

func (a *App) chats(c *fiber.Ctx) error {
	before, limit, err := page(c)
	if err != nil {
		return err
	}
	me := sessionOf(c).UserID
	entries, more, err := a.cfg.Chat.Chats(c.UserContext(), me, before, limit)
	if err != nil {
		return err
	}
	bodies := make([]chatBody, len(entries))
	for i, e := range entries {
		bodies[i] = a.chatBody(e, me)
	}
	return c.JSON(fiber.Map{"chats": bodies, "more": more})
}

func (a *App) chatBody(e chat.Entry, me string) chatBody {
	body := chatBody{
		Chat: chat.Seen(e.Key, me), Name: e.Title, At: e.At, Rev: e.Rev, Pos: e.Pos,
		Read: e.Me.Read, Delivered: e.Me.Delivered, Unread: e.Unread, Last: e.LastFor(me),
	}
	switch left := e.Me.Left; {
	case e.Peer != nil:
		body.Name = e.Peer.Name
		delivered, read := a.cfg.Chat.PeerMarks(e, me)
		body.Peer = &peerBody{Delivered: delivered, Read: read}
	case left != nil:
		body.Name, body.Rev, body.Pos = left.Title, left.Rev, left.Pos
		body.Group = &groupPlace{Left: true}
	default:
		body.Group = &groupPlace{Members: e.Members, Admin: e.Me.Admin}
	}
	return body
}

func (a *App) messages(c *fiber.Ctx) error {
	before, limit, err := page(c)
	if err != nil {
		return err
	}
	ctx, me, name := c.UserContext(), sessionOf(c).UserID, c.Query("chat")
	if c.Query("since") == "" {
		got, more, err := a.cfg.Chat.Messages(ctx, me, name, before, limit)
		if err != nil {
			return err
		}
		return c.JSON(messagesBody{Messages: got, More: more})
	}
	since, err := number(c, "since")
	if err != nil {
		return err
	}
	got, rev, more, err := a.cfg.Chat.Changes(ctx, me, name, since, limit)
	if err != nil {
		return err
	}
	return c.JSON(messagesBody{Messages: got, Rev: &rev, More: more})
}

func (a *App) searchTexts(c *fiber.Ctx) error {
	before, limit, err := page(c)
	if err != nil {
		return err
	}
	got, more, err := a.cfg.Chat.Search(c.UserContext(), sessionOf(c).UserID, c.Query("q"), c.Query("chat"), before, limit)
	if err != nil {
		return err
	}
	return c.JSON(messagesBody{Messages: got, More: more})
}

func (a *App) chatMarks(c *fiber.Ctx) error {
	marks, err := a.cfg.Chat.Marks(c.UserContext(), sessionOf(c).UserID, c.Query("chat"))
	if err != nil {
		return err
	}
	type mark struct {
		User      string `json:"user"`
		Delivered int64  `json:"delivered"`
		Read      int64  `json:"read"`
	}
	bodies := make([]mark, len(marks))
	for i, m := range marks {
		bodies[i] = mark{m.User, m.Delivered, m.Read}
	}
	return c.JSON(fiber.Map{"marks": bodies})
}

func groupBodyOf(g chat.Group) groupBody {
	body := groupBody{Group: g.Group, Name: g.Name, CreatedAt: g.CreatedAt, Members: make([]groupMemberBody, len(g.Members))}
	for i, m := range g.Members {
		body.Members[i] = groupMemberBody{m.User, m.Admin}
	}
	return body
}

func (a *App) createGroup(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Group, Name string
		Members     []string
	}](c)
	if err != nil {
		return err
	}
	group, created, err := a.cfg.Chat.CreateGroup(c.UserContext(), sessionOf(c).UserID, in.Group, in.Name, in.Members)
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return c.JSON(groupBodyOf(group))
}

func (a *App) group(c *fiber.Ctx) error {
	group, err := a.cfg.Chat.Group(c.UserContext(), sessionOf(c).UserID, c.Params("group"))
	if err != nil {
		return err
	}
	return c.JSON(groupBodyOf(group))
}

func (a *App) changeGroup(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Name                         *string
		Add, Remove, Promote, Demote []string
	}](c)
	if err != nil {
		return err
	}
	group, err := a.cfg.Chat.ChangeGroup(c.UserContext(), sessionOf(c).UserID, c.Params("group"), chat.GroupChange(in))
	if err != nil {
		return err
	}
	return c.JSON(groupBodyOf(group))
}

func (a *App) pastCalls(c *fiber.Ctx) error {
	before, limit, err := page(c)
	if err != nil {
		return err
	}
	calls, more, err := a.cfg.Chat.Calls(c.UserContext(), sessionOf(c).UserID, before, limit)
	if err != nil {
		return err
	}
	seen, err := a.cfg.Chat.CallsSeen(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	bodies := make([]pastCallBody, len(calls))
	for i, p := range calls {
		bodies[i] = pastCallBody{Call: p.Message.Message, From: p.From, To: p.To, ServerTime: p.ServerTime}
		if p.Call != nil {
			bodies[i].PastCall = *p.Call
		}
	}
	return c.JSON(fiber.Map{"calls": bodies, "more": more, "seen": seen})
}

// seeCalls notes that the user has looked at the list, and tells all devices of
// theirs, whose counts of missed calls then go.
func (a *App) seeCalls(c *fiber.Ctx) error {
	in, err := readBody[struct{ At int64 }](c)
	if err != nil {
		return err
	}
	me := sessionOf(c).UserID
	seen, news, err := a.cfg.Chat.SeeCalls(c.UserContext(), me, in.At)
	if err != nil {
		return err
	}
	if news {
		a.cfg.Hub.Tell([]string{me}, &rtc.CallsSeen{At: seen})
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// chatStatus maps the codes of the protocol that requests may get.
var chatStatus = map[rtc.Code]int{
	rtc.CodeBadData:     fiber.StatusUnprocessableEntity,
	rtc.CodeNoSuchChat:  fiber.StatusNotFound,
	rtc.CodeNotAllowed:  fiber.StatusForbidden,
	rtc.CodeBlocked:     fiber.StatusForbidden,
	rtc.CodeRateLimited: fiber.StatusTooManyRequests,
	rtc.CodeNotStored:   fiber.StatusServiceUnavailable,
}

// describeChat is what a client sees of a refusal in the protocol's words.
func describeChat(e *rtc.Error) (status int, fields errorFields) {
	status, known := chatStatus[e.Code]
	if !known {
		status = fiber.StatusInternalServerError
	}
	fields = errorFields{Code: string(e.Code), Message: e.Message}
	if e.Code == rtc.CodeBadData {
		fields.Field, _, _ = strings.Cut(e.Message, " ") // it begins with the field
	}
	return status, fields
}
