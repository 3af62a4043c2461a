package httpapi

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"
	"fieldphone/rtc"

	"github.com/gofiber/fiber/v2"
)

// ExportPart writes a part of what is kept of a user into files of an archive.
type ExportPart func(ctx context.Context, userID string, create func(name string) (io.Writer, error)) error

// ownBody is what users see of themselves.
type ownBody struct {
	userBody
	Line    string   `json:"line,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	Picture string   `json:"picture,omitempty"`
	Quiet   bool     `json:"quiet,omitempty"`
}

func (a *App) ownBodyOf(u account.User) ownBody {
	p, _ := a.cfg.People.Person(u.ID)
	return ownBody{bodyOf(u), p.Line, p.Tags, p.Picture, p.Quiet}
}

// refreshPeople lets the list of people follow what was just done to an
// account. It follows soon also if this fails.
func (a *App) refreshPeople(c *fiber.Ctx) {
	if err := a.cfg.People.Refresh(c.UserContext()); err != nil {
		a.cfg.Logger.Warn("cannot read who has changed; trying again soon", "error", err)
	}
}

func (a *App) me(c *fiber.Ctx) error {
	user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	return c.JSON(a.ownBodyOf(user))
}

func (a *App) changeMe(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Name  *string   `json:"name"`
		Line  *string   `json:"line"`
		Tags  *[]string `json:"tags"`
		Quiet *bool     `json:"quiet"`
	}](c)
	if err != nil {
		return err
	}
	change := people.Change(in)
	if change == (people.Change{}) {
		return refusal{fiber.StatusBadRequest, "bad_request", "Give name, line, tags or quiet.", ""}
	}
	person, err := a.cfg.People.Change(c.UserContext(), sessionOf(c).UserID, change)
	if err != nil {
		return err
	}
	if in.Name != nil {
		a.cfg.Hub.Rename(rtc.User{ID: person.ID, Name: person.Name})
	}
	return a.me(c)
}

func (a *App) putPicture(c *fiber.Ctx) error {
	if _, err := a.cfg.People.SetPicture(c.UserContext(), sessionOf(c).UserID, c.Request().Body()); err != nil {
		return err
	}
	return a.me(c)
}

func (a *App) removePicture(c *fiber.Ctx) error {
	if _, err := a.cfg.People.RemovePicture(c.UserContext(), sessionOf(c).UserID); err != nil {
		return err
	}
	return a.me(c)
}

// picture gives the present picture, whichever version is asked for. It is
// kept for good only under its own version.
func (a *App) picture(c *fiber.Ctx) error {
	version, jpeg, err := a.cfg.People.Picture(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	c.Set("Cache-Control", "private, no-cache")
	if c.Query("v") == version {
		c.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	c.Set("ETag", `"`+version+`"`)
	c.Set("Content-Type", "image/jpeg")
	c.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if c.Get("If-None-Match") == `"`+version+`"` {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(jpeg)
}

func (a *App) users(c *fiber.Ctx) error {
	list, err := a.cfg.People.List()
	if err != nil {
		return err
	}
	c.Set("ETag", list.ETag)
	c.Set("Vary", "Accept-Encoding")
	if slices.Contains(strings.Split(strings.ReplaceAll(c.Get("If-None-Match"), " ", ""), ","), list.ETag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set("Content-Type", fiber.MIMEApplicationJSON)
	if c.Context().Request.Header.HasAcceptEncoding("gzip") {
		c.Set("Content-Encoding", "gzip")
		return c.Send(list.Gzip)
	}
	return c.Send(list.JSON)
}

func (a *App) contacts(c *fiber.Ctx) error {
	contacts, err := a.cfg.People.Contacts(c.UserContext(), sessionOf(c).UserID)
	if err != nil {
		return err
	}
	return c.JSON(contacts)
}

func (a *App) changeContact(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Favourite *bool `json:"favourite"`
		Blocked   *bool `json:"blocked"`
	}](c)
	if err != nil {
		return err
	}
	change := people.ContactChange(in)
	if change == (people.ContactChange{}) {
		return refusal{fiber.StatusBadRequest, "bad_request", "Give favourite or blocked.", ""}
	}
	contacts, err := a.cfg.People.ChangeContact(c.UserContext(), sessionOf(c).UserID, c.Params("id"), change)
	if err != nil {
		return err
	}
	return c.JSON(contacts)
}

// deleteMe deletes the account. Its sessions end with it, this one too.
func (a *App) deleteMe(c *fiber.Ctx) error {
	var password string
	if len(c.Request().Body()) > 0 { // guests have none to give
		in, err := readBody[struct{ Password string }](c)
		if err != nil {
			return err
		}
		password = in.Password
	}
	if err := a.cfg.Accounts.Delete(c.UserContext(), sessionOf(c).UserID, password); err != nil {
		return err
	}
	a.refreshPeople(c)
	clearCookie(c)
	a.cfg.Logger.Info("an account was deleted by its owner", "user", sessionOf(c).UserID)
	return c.SendStatus(fiber.StatusNoContent)
}

// exportDeadline bounds a whole export, and exportWrite each write of it.
const (
	exportDeadline = 10 * time.Minute
	exportWrite    = 30 * time.Second
)

// export sends everything that is kept of the user as a zip, while it is read.
// What fails then breaks the archive off, which unpacking notices.
func (a *App) export(c *fiber.Ctx) error {
	id := sessionOf(c).UserID
	user, err := a.cfg.Accounts.User(c.UserContext(), id)
	if err != nil {
		return err
	}
	if err := a.cfg.People.MayExport(id); err != nil {
		return err
	}
	own := a.ownBodyOf(user)
	conn := c.Context().Conn()
	c.Set("Content-Type", "application/zip")
	c.Set("Content-Disposition", `attachment; filename="fieldphone-`+id+`.zip"`)
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(context.Background(), exportDeadline)
		defer cancel()
		// The deadline is renewed for each write: the whole may take longer on a slow link.
		out := zip.NewWriter(writerFunc(func(p []byte) (int, error) {
			_ = conn.SetWriteDeadline(a.cfg.Now().Add(exportWrite))
			return w.Write(p)
		}))
		if err := a.writeExport(ctx, out, own); err != nil {
			a.cfg.Logger.Warn("an export broke off", "user", id, "error", err)
			_ = conn.Close()
			return
		}
		_ = out.Close()
		_ = w.Flush()
	})
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (a *App) writeExport(ctx context.Context, out *zip.Writer, own ownBody) error {
	contacts, err := a.cfg.People.Contacts(ctx, own.ID)
	if err != nil {
		return err
	}
	profile, err := json.MarshalIndent(struct {
		ownBody
		people.Contacts
		ExportedAt int64 `json:"exported_at"` // Unix milliseconds
	}{own, contacts, a.cfg.Now().UnixMilli()}, "", "  ")
	if err != nil {
		return err
	}
	if err := addFile(out.Create, "profile.json", profile); err != nil {
		return err
	}
	if own.Picture != "" {
		_, jpeg, err := a.cfg.People.Picture(ctx, own.ID)
		if err == nil {
			err = addFile(out.Create, "picture.jpg", jpeg)
		}
		if err != nil && account.CodeOf(err) != account.CodeNotFound { // taken away meanwhile
			return err
		}
	}
	for _, part := range a.cfg.Export {
		if err := part(ctx, own.ID, out.Create); err != nil {
			return err
		}
	}
	return nil
}

func addFile(create func(string) (io.Writer, error), name string, content []byte) error {
	w, err := create(name)
	if err == nil {
		_, err = io.Copy(w, bytes.NewReader(content))
	}
	return err
}
