package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fieldphone/httpapi/files"
)

const mib = 1 << 20

// noise is content that repeats nowhere.
func noise(n int) []byte {
	content := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(content)
	return content
}

func description(name, chat, kind, title, mediaType string, size int) string {
	return fmt.Sprintf(`{"file":%q,"chat":%q,"kind":%q,"name":%q,"type":%q,"size":%d}`, name, chat, kind, title, mediaType, size)
}

func (s *site) patch(token, name string, offset int, chunk []byte, header ...string) answer {
	s.t.Helper()
	header = append(header, "Authorization", "Bearer "+token, "Upload-Offset", strconv.Itoa(offset), "Content-Type", "application/octet-stream")
	return s.do("PATCH", "/api/v1/files/"+name, string(chunk), header...)
}

// upload sends a whole file.
func (s *site) upload(token, name, chat, mediaType string, content []byte) {
	s.t.Helper()
	s.want(201, s.do("POST", "/api/v1/files", description(name, chat, "file", name+".bin", mediaType, len(content)), bearer(token)...))
	for at := 0; at < len(content) || at == 0; at += files.ChunkBytes {
		chunk := content[at:min(len(content), at+files.ChunkBytes)]
		sum := sha256.Sum256(chunk)
		s.want(200, s.patch(token, name, at, chunk, "Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":"))
	}
}

// readers lets those read who are named by user and file.
func readers(pairs ...string) func(context.Context, string, string) (bool, error) {
	return func(_ context.Context, user, file string) (bool, error) {
		for _, pair := range pairs {
			if pair == user+" "+file {
				return true, nil
			}
		}
		return false, nil
	}
}

func TestFileCrosses(t *testing.T) {
	const name = "file-0001"
	s := newSite(t, func(o *siteOptions) { o.files.MayRead = readers("jose "+name, "anna "+name) })
	maria, jose, anna, bert := s.signUp("maria"), s.signUp("jose"), s.signUp("anna"), s.signUp("bert")
	content := noise(2*mib + 300_000)
	sum := sha256.Sum256(content)
	about := strings.Replace(description(name, "jose", "file", "Bericht “è” 报告.pdf", "application/pdf", len(content)), "{", `{"sha256":"`+hex.EncodeToString(sum[:])+`",`, 1)
	s.want(201, s.do("POST", "/api/v1/files", about, bearer(maria)...))
	s.want(200, s.patch(maria, name, 0, content[:mib]))

	// A repeat of the description tells where to go on, and a wrong offset as well.
	a := s.want(200, s.do("POST", "/api/v1/files", about, bearer(maria)...))
	if !strings.Contains(string(a.body), `"offset":1048576`) {
		t.Errorf("again: %s", a.body)
	}
	a = s.patch(maria, name, 0, content[:mib])
	if a.status != 409 || a.code() != "wrong_offset" || !strings.Contains(string(a.body), `"offset":1048576`) {
		t.Errorf("a chunk again: %d %s", a.status, a.body)
	}
	s.want(404, s.do("GET", "/api/v1/files/"+name, "", bearer(jose)...)) // not complete
	a = s.want(200, s.do("GET", "/api/v1/files/"+name+"/offset", "", bearer(jose)...))
	if !strings.Contains(string(a.body), `"complete":false`) {
		t.Errorf("half: %s", a.body)
	}
	s.want(200, s.patch(maria, name, mib, content[mib:2*mib]))
	a = s.want(200, s.patch(maria, name, 2*mib, content[2*mib:]))
	if string(a.body) != fmt.Sprintf(`{"complete":true,"offset":%d}`, len(content)) {
		t.Errorf("the end: %s", a.body)
	}

	a = s.want(200, s.do("GET", "/api/v1/files/"+name, "", bearer(jose)...))
	if !bytes.Equal(a.body, content) {
		t.Error("other content comes back")
	}
	for header, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes",
		"Content-Disposition":     `attachment; filename="Bericht ___ __.pdf"; filename*=UTF-8''Bericht%20%E2%80%9C%C3%A8%E2%80%9D%20%E6%8A%A5%E5%91%8A.pdf`,
		"Content-Security-Policy": filePolicy, "Cache-Control": "private, no-cache",
		"ETag": `"` + hex.EncodeToString(sum[:16]) + `"`, "Content-Length": strconv.Itoa(len(content)),
	} {
		if got := a.header.Get(header); got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
	s.want(200, s.do("GET", "/api/v1/files/"+name, "", bearer(maria)...))
	for who, token := range map[string]string{"anna, to whom it was not sent": anna, "bert": bert} {
		for _, path := range []string{name, name + "/offset"} {
			if a := s.do("GET", "/api/v1/files/"+path, "", bearer(token)...); a.status != 404 || a.code() != "no_such_file" {
				t.Errorf("%s gets %d %.60s", who, a.status, a.body)
			}
		}
	}
	s.want(401, s.do("GET", "/api/v1/files/"+name, ""))
	if a := s.do("DELETE", "/api/v1/files/"+name, "", bearer(jose)...); a.status != 404 {
		t.Errorf("another deletes it: %d %s", a.status, a.body)
	}
	s.want(204, s.do("DELETE", "/api/v1/files/"+name, "", bearer(maria)...))
	for _, token := range []string{maria, jose} {
		if a := s.do("GET", "/api/v1/files/"+name, "", bearer(token)...); a.status != 410 || a.code() != "file_gone" {
			t.Errorf("after it was deleted: %d %s", a.status, a.body)
		}
	}
	if a := s.do("POST", "/api/v1/files", strings.Replace(about, `"jose"`, `"anna"`, 1), bearer(jose)...); a.code() != "file_taken" {
		t.Errorf("the name of a file that is gone: %d %s", a.status, a.body)
	}
}

func TestFileRanges(t *testing.T) {
	s := newSite(t)
	maria := s.signUp("maria")
	content := noise(1000)
	s.upload(maria, "file-0001", "jose", "", content)
	etag := s.do("GET", "/api/v1/files/file-0001", "", bearer(maria)...).header.Get("ETag")
	for _, tt := range []struct {
		asked, ifRange string
		status         int
		first, end     int
	}{
		{"bytes=0-99", "", 206, 0, 100},
		{"bytes=900-", "", 206, 900, 1000},
		{"bytes=900-5000", etag, 206, 900, 1000},
		{"bytes=-10", "", 206, 990, 1000},
		{"bytes=-5000", "", 206, 0, 1000},
		{"bytes=0-0", "", 206, 0, 1},
		{"bytes=500-", `"other"`, 200, 0, 1000},
		{"bytes=5-1", "", 200, 0, 1000},
		{"bytes=0-1,5-6", "", 200, 0, 1000},
		{"lines=0-1", "", 200, 0, 1000},
		{"bytes=x-y", "", 200, 0, 1000},
		{"bytes=1000-", "", 416, 0, 0},
		{"bytes=-0", "", 416, 0, 0},
		{"bytes=99999999999999999999-", "", 200, 0, 1000},
	} {
		a := s.do("GET", "/api/v1/files/file-0001", "", append(bearer(maria), "Range", tt.asked, "If-Range", tt.ifRange)...)
		if a.status != tt.status || tt.status < 400 && !bytes.Equal(a.body, content[tt.first:tt.end]) {
			t.Errorf("%s %s: %d with %d bytes", tt.asked, tt.ifRange, a.status, len(a.body))
		}
		if want := fmt.Sprintf("bytes %d-%d/1000", tt.first, tt.end-1); tt.status == 206 && a.header.Get("Content-Range") != want {
			t.Errorf("%s: Content-Range %q, want %q", tt.asked, a.header.Get("Content-Range"), want)
		}
	}
	a := s.do("GET", "/api/v1/files/file-0001", "", append(bearer(maria), "If-None-Match", etag)...)
	if a.status != 304 || len(a.body) > 0 {
		t.Errorf("not changed: %d with %d bytes", a.status, len(a.body))
	}
	a = s.do("HEAD", "/api/v1/files/file-0001", "", bearer(maria)...)
	if a.status != 200 || a.header.Get("Content-Length") != "1000" {
		t.Errorf("HEAD: %d, %s bytes", a.status, a.header.Get("Content-Length"))
	}
}

func TestFilesThatLie(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.files.MayRead = readers("jose short-001") })
	maria, jose := s.signUp("maria"), s.signUp("jose")
	for field, body := range map[string]string{
		"file": description("short", "jose", "file", "a", "", 1),
		"chat": description("file-0001", "../x", "file", "a", "", 1),
		"kind": description("file-0001", "jose", "page", "a", "", 1),
		"name": description("file-0001", "jose", "file", "a\r\nb", "", 1),
		"type": description("file-0001", "jose", "file", "a", "text/html\r\nX: y", 1),
		"size": description("file-0001", "jose", "file", "a", "", -1),
	} {
		a := s.do("POST", "/api/v1/files", body, bearer(maria)...)
		if a.status != 422 || a.code() != "invalid_file" || !strings.Contains(string(a.body), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", field, a.status, a.body)
		}
	}
	if a := s.do("POST", "/api/v1/files", description("file-0001", "jose", "file", "a", "", 8*mib+1), bearer(maria)...); a.status != 413 || a.code() != "file_too_large" {
		t.Errorf("too large: %d %s", a.status, a.body)
	}

	// More bytes than were announced are refused, and nothing of them is kept.
	s.want(201, s.do("POST", "/api/v1/files", description("long-0001", "jose", "file", "a", "", 10), bearer(maria)...))
	if a := s.patch(maria, "long-0001", 0, noise(11)); a.status != 413 || a.code() != "file_too_large" {
		t.Errorf("more than announced: %d %s", a.status, a.body)
	}
	s.want(200, s.patch(maria, "long-0001", 0, noise(10)))
	if a := s.patch(maria, "long-0001", 10, noise(1)); a.code() != "file_too_large" {
		t.Errorf("more than announced, later: %d %s", a.status, a.body)
	}
	// Fewer never make a file.
	s.want(201, s.do("POST", "/api/v1/files", description("short-001", "jose", "file", "a", "", 10), bearer(maria)...))
	s.want(200, s.patch(maria, "short-001", 0, noise(9)))
	for _, token := range []string{maria, jose} {
		if a := s.do("GET", "/api/v1/files/short-001", "", bearer(token)...); a.code() != "no_such_file" {
			t.Errorf("fewer than announced: %d %s", a.status, a.body)
		}
	}
	if a := s.patch(jose, "short-001", 9, noise(1)); a.code() != "no_such_file" {
		t.Errorf("another adds to it: %d %s", a.status, a.body)
	}

	wrong := strings.Replace(description("sum-00001", "jose", "file", "a", "", 10), "{", `{"sha256":"`+strings.Repeat("ab", 32)+`",`, 1)
	s.want(201, s.do("POST", "/api/v1/files", wrong, bearer(maria)...))
	if a := s.patch(maria, "sum-00001", 0, noise(10)); a.status != 422 || a.code() != "wrong_checksum" {
		t.Errorf("another checksum: %d %s", a.status, a.body)
	}
	if a := s.do("GET", "/api/v1/files/sum-00001/offset", "", bearer(maria)...); !strings.Contains(string(a.body), `"complete":false`) || !strings.Contains(string(a.body), `"offset":0`) {
		t.Errorf("after another checksum: %s", a.body)
	}
	a := s.patch(maria, "sum-00001", 0, noise(10), "Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+":")
	if a.code() != "wrong_checksum" {
		t.Errorf("a damaged chunk: %d %s", a.status, a.body)
	}
	for _, header := range [][]string{{"Upload-Offset", "-1"}, {"Upload-Offset", ""}, {"Upload-Offset", "0", "Content-Digest", "sha-256=:AA==:"}} {
		if a := s.do("PATCH", "/api/v1/files/sum-00001", "x", append(bearer(maria), header...)...); a.status != 400 {
			t.Errorf("%v: %d %s", header, a.status, a.body)
		}
	}
	for _, size := range []int{mib + 1, 4 * mib} { // the answer comes, whatever is still on its way
		if a := s.patch(maria, "sum-00001", 0, noise(size)); a.status != 413 || a.code() != "body_too_large" {
			t.Errorf("a chunk of %d bytes, over the limit: %d %s", size, a.status, a.body)
		}
	}
	s.upload(maria, "empty-001", "jose", "", nil)
	s.want(200, s.do("GET", "/api/v1/files/empty-001", "", bearer(maria)...))
}

// Ensure nothing that can carry a script is shown in place, whatever it says.
func TestFilesAreShownSafely(t *testing.T) {
	s := newSite(t)
	maria := s.signUp("maria")
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100)
	for i, tt := range []struct{ declared, content, want string }{
		{"image/png", png, "image/png"},
		{"image/jpeg", "\xff\xd8\xff\xe0 a", "image/jpeg"},
		{"image/avif", "\x00\x00\x00\x20ftypavif....", "image/avif"},
		{"audio/webm;codecs=opus", "\x1a\x45\xdf\xa3....", "audio/webm"},
		{"audio/ogg", "OggS\x00....", "audio/ogg"},
		{"audio/mp4", "\x00\x00\x00\x20ftypisom....", "audio/mp4"},
		{"video/mp4", "\x00\x00\x00\x20ftypmp42....", "video/mp4"},
		{"text/html", "<html><script>alert(1)</script>", ""},
		{"image/png", "<html><script>alert(1)</script>", ""},
		{"image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ""},
		{"text/xml", "<?xml version='1.0'?>", ""},
		{"application/pdf", "%PDF-1.7", ""},
		{"application/javascript", "alert(1)", ""},
		{"text/html", png, ""},
		{"image/avif", "\x00\x00\x00\x20ftypisom....", ""},
		{"", png, ""},
		{"nonsense", png, ""},
	} {
		name := fmt.Sprintf("file-%04d", i)
		s.upload(maria, name, "jose", strings.ReplaceAll(tt.declared, " ", ""), []byte(tt.content))
		a := s.want(200, s.do("GET", "/api/v1/files/"+name, "", bearer(maria)...))
		want, place := tt.want, "inline;"
		if want == "" {
			want, place = "application/octet-stream", "attachment;"
		}
		if got := a.header.Get("Content-Type"); got != want || !strings.HasPrefix(a.header.Get("Content-Disposition"), place) {
			t.Errorf("%s %.20q comes as %s, %s", tt.declared, tt.content, got, a.header.Get("Content-Disposition"))
		}
	}
}

func TestFileQuotas(t *testing.T) {
	s := newSite(t)
	maria, jose := s.signUp("maria"), s.signUp("jose")
	for i := range 2 {
		s.want(201, s.do("POST", "/api/v1/files", description(fmt.Sprintf("file-%04d", i), "jose", "file", "a", "", 8*mib), bearer(maria)...))
	}
	if a := s.do("POST", "/api/v1/files", description("file-0002", "jose", "file", "a", "", 1), bearer(maria)...); a.status != 507 || a.code() != "quota_full" {
		t.Errorf("over one's own quota: %d %s", a.status, a.body)
	}
	s.want(201, s.do("POST", "/api/v1/files", description("file-0003", "maria", "file", "a", "", 8*mib), bearer(jose)...))
	if a := s.do("POST", "/api/v1/files", description("file-0004", "maria", "file", "a", "", 1), bearer(jose)...); a.status != 507 || a.code() != "quota_full" {
		t.Errorf("over everybody's quota: %d %s", a.status, a.body)
	}
	s.want(204, s.do("DELETE", "/api/v1/files/file-0001", "", bearer(maria)...))
	s.want(201, s.do("POST", "/api/v1/files", description("file-0002", "jose", "file", "a", "", 1), bearer(maria)...))
}

// Ensure a full disk is told, harms nothing and that the upload goes on once
// there is room.
func TestFileOnAFullDisk(t *testing.T) {
	var full atomic.Bool
	var free atomic.Uint64
	free.Store(100 * mib)
	s := newSite(t, func(o *siteOptions) {
		o.files.MinFree = 50 * mib
		o.files.Free = func(string) (uint64, bool) { return free.Load(), true }
		o.files.Open = func(path string, flag int, perm os.FileMode) (files.Content, error) {
			f, err := os.OpenFile(path, flag, perm)
			return fullDisk{f, &full}, err
		}
	})
	maria := s.signUp("maria")
	content := noise(mib)
	s.want(201, s.do("POST", "/api/v1/files", description("file-0001", "jose", "file", "a", "", len(content)), bearer(maria)...))
	s.want(200, s.patch(maria, "file-0001", 0, content[:1000]))
	full.Store(true)
	a := s.patch(maria, "file-0001", 1000, content[1000:])
	if a.status != 507 || a.code() != "disk_full" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	full.Store(false)
	free.Store(50*mib + 10)
	if a := s.patch(maria, "file-0001", 1000, content[1000:]); a.status != 507 || a.code() != "disk_full" {
		t.Errorf("into the room that is left free: %d %s", a.status, a.body)
	}
	if a := s.do("POST", "/api/v1/files", description("file-0002", "jose", "file", "a", "", 11), bearer(maria)...); a.status != 507 || a.code() != "disk_full" {
		t.Errorf("a new one: %d %s", a.status, a.body)
	}
	s.signUp("jose") // everything else goes on
	free.Store(100 * mib)
	var at struct{ Offset int }
	a = s.want(200, s.do("GET", "/api/v1/files/file-0001/offset", "", bearer(maria)...))
	if err := json.Unmarshal(a.body, &at); err != nil || at.Offset != 1000 {
		t.Errorf("goes on at %s", a.body)
	}
	s.want(200, s.patch(maria, "file-0001", 1000, content[1000:]))
	if a := s.want(200, s.do("GET", "/api/v1/files/file-0001", "", bearer(maria)...)); !bytes.Equal(a.body, content) {
		t.Error("other content comes back")
	}
}

// fullDisk writes half of what it is given when the disk is full.
type fullDisk struct {
	*os.File
	full *atomic.Bool
}

func (f fullDisk) WriteAt(p []byte, off int64) (int, error) {
	if !f.full.Load() {
		return f.File.WriteAt(p, off)
	}
	n, err := f.File.WriteAt(p[:len(p)/2], off)
	if err == nil {
		err = &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return n, err
}

// Ensure a download may take longer than a response may, but no part of it.
func TestFileBodyRenewsTheDeadline(t *testing.T) {
	conn := &deadlines{}
	now := time.Unix(1000, 0)
	body := fileBody{Reader: bytes.NewReader(noise(100)), conn: conn, now: func() time.Time { now = now.Add(time.Minute); return now }}
	for range 3 {
		_, _ = body.Read(make([]byte, 10))
	}
	want := time.Unix(1000, 0).Add(3*time.Minute + writeTimeout)
	if len(conn.set) != 3 || !conn.set[2].Equal(want) {
		t.Errorf("deadlines %v, want the last at %v", conn.set, want)
	}
}

type deadlines struct {
	net.Conn
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}
