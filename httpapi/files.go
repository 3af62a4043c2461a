package httpapi

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fieldphone/httpapi/files"

	"github.com/gofiber/fiber/v2"
)

// fileStatus maps the codes of files to HTTP statuses.
var fileStatus = map[string]int{
	files.CodeFileTooLarge:  fiber.StatusRequestEntityTooLarge,
	files.CodeQuotaFull:     fiber.StatusInsufficientStorage,
	files.CodeDiskFull:      fiber.StatusInsufficientStorage,
	files.CodeFileGone:      fiber.StatusGone,
	files.CodeNoSuchFile:    fiber.StatusNotFound,
	files.CodeWrongChecksum: fiber.StatusUnprocessableEntity,
	files.CodeWrongOffset:   fiber.StatusConflict,
	files.CodeInvalidFile:   fiber.StatusUnprocessableEntity,
	files.CodeFileTaken:     fiber.StatusConflict,
	files.CodeRateLimited:   fiber.StatusTooManyRequests,
	files.CodeUnavailable:   fiber.StatusServiceUnavailable,
}

// filePolicy is for content from people: if a browser ever opens it as a page,
// it may do nothing.
const filePolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

func (a *App) fileRoutes(user fiber.Router) {
	user.Post("/files", a.createFile)
	user.Get("/files/:file/offset", a.fileOffset)
	user.Patch("/files/:file", a.writeFile)
	user.Get("/files/:file", a.readFile)
	user.Delete("/files/:file", a.deleteFile)
}

// carriesChunk tells whether a request may carry more than an ordinary one.
func carriesChunk(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodPatch && strings.HasPrefix(c.Path(), "/api/v1/files/")
}

func (a *App) createFile(c *fiber.Ctx) error {
	in, err := readBody[struct {
		File, Kind, Name, Type, Chat, SHA256 string
		Size                                 int64
	}](c)
	if err != nil {
		return err
	}
	kept, offset, made, err := a.cfg.Files.Create(c.UserContext(), files.File{
		Name: in.File, Owner: sessionOf(c).UserID, Chat: in.Chat, Kind: in.Kind, Title: in.Name, Type: in.Type, Size: in.Size, Sum: in.SHA256,
	})
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	if made {
		status = fiber.StatusCreated
	}
	return c.Status(status).JSON(fiber.Map{
		"file": kept.Name, "offset": offset, "chunk_bytes": files.ChunkBytes, "expires_at": kept.ExpiresAt.UnixMilli(),
		"complete": kept.State == files.Complete,
	})
}

func (a *App) fileOffset(c *fiber.Ctx) error {
	f, offset, err := a.cfg.Files.Status(c.UserContext(), sessionOf(c).UserID, c.Params("file"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{
		"offset": offset, "size": f.Size, "complete": f.State == files.Complete, "expires_at": f.ExpiresAt.UnixMilli(),
	})
}

func (a *App) writeFile(c *fiber.Ctx) error {
	offset, err := strconv.ParseInt(c.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		return refusal{fiber.StatusBadRequest, "bad_request", "The header Upload-Offset must say where the chunk begins.", "Upload-Offset"}
	}
	digest, ok := contentDigest(c.Get("Content-Digest"))
	if !ok {
		return refusal{fiber.StatusBadRequest, "bad_request", "The header Content-Digest must be sha-256=:BASE64:.", "Content-Digest"}
	}
	// The body is not kept, so it need not be copied.
	end, complete, err := a.cfg.Files.Write(c.UserContext(), sessionOf(c).UserID, c.Params("file"), offset, c.Request().Body(), digest)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"offset": end, "complete": complete})
}

// contentDigest reads the SHA-256 in a Content-Digest (RFC 9530); nil for none.
func contentDigest(header string) (digest []byte, ok bool) {
	for item := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if !strings.EqualFold(name, "sha-256") {
			continue
		}
		digest, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
		return digest, err == nil && len(digest) == 32
	}
	return nil, true
}

func (a *App) deleteFile(c *fiber.Ctx) error {
	if err := a.cfg.Files.Delete(c.UserContext(), sessionOf(c).UserID, c.Params("file")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *App) readFile(c *fiber.Ctx) error {
	f, content, err := a.cfg.Files.Read(c.UserContext(), sessionOf(c).UserID, c.Params("file"))
	if err != nil {
		return err
	}
	kind, place := f.Shown, "inline"
	if kind == "" {
		kind, place = fiber.MIMEOctetStream, "attachment"
	}
	etag := `"` + f.Sum[:min(32, len(f.Sum))] + `"`
	c.Set("Content-Type", kind)
	c.Set("Content-Disposition", disposition(place, f.Title))
	c.Set("Content-Security-Policy", filePolicy)
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Cache-Control", "private, no-cache") // asked each time, since access can end
	c.Set("ETag", etag)
	c.Set("Accept-Ranges", "bytes")
	if matches(c.Get("If-None-Match"), etag) {
		_ = content.Close()
		return c.SendStatus(fiber.StatusNotModified)
	}
	first, length, ranged := int64(0), f.Size, false
	if asked := c.Get("Range"); asked != "" && (c.Get("If-Range") == "" || c.Get("If-Range") == etag) {
		var ok bool
		if first, length, ranged, ok = parseRange(asked, f.Size); !ok {
			_ = content.Close()
			c.Set("Content-Range", fmt.Sprintf("bytes */%d", f.Size))
			c.Set("Content-Disposition", "inline")
			return refusal{fiber.StatusRequestedRangeNotSatisfiable, "bad_request", "The file does not reach that far.", "Range"}
		}
	}
	if ranged {
		c.Status(fiber.StatusPartialContent)
		c.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, first+length-1, f.Size))
	}
	c.Context().Response.SetBodyStream(&fileBody{
		Reader: io.NewSectionReader(content, first, length), Closer: content, conn: c.Context().Conn(), now: a.cfg.Now,
	}, int(length))
	return nil
}

// fileBody gives the response as a whole no deadline, but each part of it.
type fileBody struct {
	io.Reader
	io.Closer
	conn net.Conn
	now  func() time.Time
}

func (b *fileBody) Read(p []byte) (int, error) {
	_ = b.conn.SetWriteDeadline(b.now().Add(writeTimeout))
	return b.Reader.Read(p)
}

func matches(ifNoneMatch, etag string) bool {
	for item := range strings.SplitSeq(ifNoneMatch, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == etag || item == "*" {
			return true
		}
	}
	return false
}

// parseRange reads a single range of bytes (RFC 9110, section 14.1.2). What it
// cannot read, and several ranges, count as none, as the RFC allows; not ok means
// that the range lies outside.
func parseRange(header string, size int64) (first, length int64, ranged, ok bool) {
	from, to, found := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !found || !strings.HasPrefix(header, "bytes=") || strings.Contains(header, ",") {
		return 0, size, false, true
	}
	last := size - 1
	if from == "" {
		n, err := strconv.ParseUint(to, 10, 63)
		if err != nil {
			return 0, size, false, true
		}
		first = max(0, size-int64(n))
		return first, size - first, true, n > 0 && size > 0
	}
	n, err := strconv.ParseUint(from, 10, 63)
	if err != nil {
		return 0, size, false, true
	}
	if first = int64(n); to != "" {
		n, err := strconv.ParseUint(to, 10, 63)
		if err != nil || int64(n) < first {
			return 0, size, false, true
		}
		last = min(last, int64(n))
	}
	return first, last - first + 1, true, first < size
}

// disposition writes the name for all browsers (RFC 6266, RFC 8187): without
// what would lead out of a folder, end the line or turn the order of letters.
func disposition(place, title string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f, r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		case strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		}
		return r
	}, title)
	if clean = strings.Trim(clean, ". "); clean == "" {
		clean = "file"
	}
	plain := strings.Map(func(r rune) rune {
		if r > '~' || r == '%' {
			return '_'
		}
		return r
	}, clean)
	return place + `; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(clean), "+", "%20")
}
