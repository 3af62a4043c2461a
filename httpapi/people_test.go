package httpapi

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"
	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

func ownOf(t *testing.T, a answer) (own ownBody) {
	t.Helper()
	if err := json.Unmarshal(a.body, &own); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return own
}

// Ensure a change is checked as a whole, is seen in the list at once, and is told to devices.
func TestProfileFromEndToEnd(t *testing.T) {
	s := newSite(t)
	maria := s.signUp("maria")
	bert := s.socket(s.signUp("bert"), "bert-phone")
	own := ownOf(t, s.want(200, s.do("PATCH", "/api/v1/me",
		`{"name":"María","line":" medic, tent 4 ","tags":["Medics","medics"," MEDICS ","Night  shift","É","e\u0301"],"quiet":true}`, bearer(maria)...)))
	want := `{"id":"maria","name":"María","admin":false,"line":"medic, tent 4","tags":["medics","night shift","é"],"quiet":true}`
	if got, _ := json.Marshal(own); string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a := s.do("GET", "/api/v1/users", "", bearer(maria)...); !strings.Contains(string(a.body), want) {
		t.Errorf("the list is %s", a.body)
	}
	if got := heard(t, bert, "maria"); got.Line != "medic, tent 4" || !got.Quiet || len(got.Tags) != 3 || got.Name != "María" {
		t.Errorf("heard %+v", got)
	}
	s.want(200, s.do("PATCH", "/api/v1/me", `{"quiet":false,"line":"","tags":[]}`, bearer(maria)...))
	if got := heard(t, bert, "maria"); got.Quiet || got.Line != "" || len(got.Tags) != 0 || got.Name != "María" {
		t.Errorf("heard %+v", got)
	}
}

// heard waits until a device hears of somebody.
func heard(t *testing.T, conn *websocket.Conn, id string) rtc.Profile {
	t.Helper()
	for {
		for _, p := range next[*rtc.ProfileUpdate](t, conn).People {
			if p.ID == id {
				return p
			}
		}
	}
}

func TestHostileProfiles(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	before := string(s.do("GET", "/api/v1/me", "", bearer(token)...).body)
	long := strings.Repeat("x", 10_000)
	for body, code := range map[string]string{
		`{}`:                            "bad_request",
		`[]`:                            "bad_request",
		`{"tags":"medics"}`:             "bad_request",
		`{"name":"` + long + `"}`:       account.CodeInvalidName,
		`{"name":""}`:                   account.CodeInvalidName,
		`{"name":"Maria\u202egnp.exe"}`: account.CodeInvalidName,
		`{"name":"\u2067Maria\u2069"}`:  account.CodeInvalidName,
		`{"name":"Ma\u200bria"}`:        account.CodeInvalidName,
		`{"name":"Ma\u00adria"}`:        account.CodeInvalidName,
		`{"name":"Maria\u200d"}`:        account.CodeInvalidName,
		`{"name":"ok","line":"a\nb"}`:   people.CodeInvalidLine,
		`{"line":"\u202etent"}`:         people.CodeInvalidLine,
		`{"line":"` + long + `"}`:       people.CodeInvalidLine,
		`{"line":"` + strings.Repeat("長", 81) + `"}`:        people.CodeInvalidLine,
		`{"line":"a` + strings.Repeat("\u0301", 400) + `"}`: people.CodeInvalidLine,
		`{"line":"ok","tags":[""]}`:                         people.CodeInvalidTags,
		`{"tags":["` + long + `"]}`:                         people.CodeInvalidTags,
		`{"tags":["` + strings.Repeat("x", 25) + `"]}`:      people.CodeInvalidTags,
		`{"tags":["a\u200bb"]}`:                             people.CodeInvalidTags,
		`{"tags":["1","2","3","4","5","6","7","8","9"]}`:    people.CodeInvalidTags,
	} {
		if a := s.do("PATCH", "/api/v1/me", body, bearer(token)...); a.code() != code {
			t.Errorf("%.60s: got %d %s, want %s", body, a.status, a.body, code)
		}
	}
	if after := string(s.do("GET", "/api/v1/me", "", bearer(token)...).body); after != before {
		t.Errorf("a refused change was made: %s", after)
	}
	s.want(200, s.do("PATCH", "/api/v1/me", `{"line":"`+strings.Repeat("長", 80)+`","name":"محمد <b>"}`, bearer(token)...))
	for range 100 {
		if a := s.do("PATCH", "/api/v1/me", `{"quiet":true}`, bearer(token)...); a.status == 429 {
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
	}
	t.Error("a hundred changes at once were taken")
}

func pngOf(t *testing.T, side int) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for x := range side {
		for y := range side {
			picture.Set(x, y, color.RGBA{uint8(x), uint8(y), 200, 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPictureFromUploadToRemoval(t *testing.T) {
	s := newSite(t)
	maria, bert := s.signUp("maria"), s.signUp("bert")
	phone := s.socket(bert, "bert-phone")
	own := ownOf(t, s.want(200, s.do("PUT", "/api/v1/me/picture", pngOf(t, 400), bearer(maria)...)))
	if got := heard(t, phone, "maria"); got.Picture != own.Picture || got.Picture == "" {
		t.Errorf("heard %+v, want picture %s", got, own.Picture)
	}
	a := s.want(200, s.do("GET", "/api/v1/users/maria/picture?v="+own.Picture, "", bearer(bert)...))
	if got := a.header.Get("Cache-Control"); got != "private, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	if a.header.Get("Content-Type") != "image/jpeg" || a.header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", a.header)
	}
	if picture, err := jpeg.Decode(bytes.NewReader(a.body)); err != nil || picture.Bounds() != image.Rect(0, 0, 256, 256) {
		t.Errorf("got %v", err)
	}
	if a := s.do("GET", "/api/v1/users/maria/picture?v=old", "", bearer(bert)...); a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("an old version is kept for good: %v", a.header)
	}
	s.want(304, s.do("GET", "/api/v1/users/maria/picture", "", append(bearer(bert), "If-None-Match", `"`+own.Picture+`"`)...))
	s.want(401, s.do("GET", "/api/v1/users/maria/picture", ""))
	s.want(404, s.do("GET", "/api/v1/users/bert/picture", "", bearer(bert)...))
	s.want(404, s.do("GET", "/api/v1/users/..%2f..%2fetc/picture", "", bearer(bert)...))
	if own := ownOf(t, s.want(200, s.do("DELETE", "/api/v1/me/picture", "", bearer(maria)...))); own.Picture != "" {
		t.Errorf("got %+v", own)
	}
	s.want(404, s.do("GET", "/api/v1/users/maria/picture?v="+own.Picture, "", bearer(bert)...))
}

func TestHostilePictures(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	wide := "GIF89a\x88\x13\x88\x13\x00\x00\x00" // 5,000 by 5,000
	bomb := []byte(pngOf(t, 16))
	copy(bomb[16:], []byte{0, 0, 0x80, 0, 0, 0, 0x80, 0}) // claims 32,768 by 32,768
	var zeros bytes.Buffer
	w := gzip.NewWriter(&zeros)
	_, _ = w.Write(make([]byte, 64<<20))
	_ = w.Close()
	for name, tt := range map[string]struct {
		body, code string
		header     []string
	}{
		"nothing":      {"", people.CodeInvalidPicture, nil},
		"text":         {"<svg onload=alert(1)>", people.CodeInvalidPicture, nil},
		"half":         {pngOf(t, 64)[:60], people.CodeInvalidPicture, nil},
		"bomb":         {string(bomb), people.CodeInvalidPicture, nil}, // its checksum is wrong as well
		"packed zeros": {zeros.String(), people.CodeInvalidPicture, []string{"Content-Encoding", "gzip"}},
		"empty gif":    {"GIF89a\x00\x00\x00\x00\x00\x00\x00", people.CodeInvalidPicture, nil},
		"huge gif":     {"GIF89a\xff\xff\xff\xff\x00\x00\x00", people.CodePictureTooLarge, nil},
		"wide gif":     {wide, people.CodePictureTooLarge, nil},
	} {
		a := s.do("PUT", "/api/v1/me/picture", tt.body, append(bearer(token), tt.header...)...)
		if a.code() != tt.code {
			t.Errorf("%s: got %d %s, want %s", name, a.status, a.body, tt.code)
		}
	}
	if a := s.do("PUT", "/api/v1/me/picture", "x"); a.status != 401 {
		t.Errorf("signed out: %d", a.status)
	}
	if a := s.do("PUT", "/api/v1/me/picture", "x", append(bearer(token), "Origin", "https://evil.example")...); a.status != 403 {
		t.Errorf("from another site: %d", a.status)
	}
	if own := ownOf(t, s.do("GET", "/api/v1/me", "", bearer(token)...)); own.Picture != "" {
		t.Errorf("got %+v", own)
	}
}

func TestContactsAndBlocks(t *testing.T) {
	s := newSite(t)
	maria := s.signUp("maria")
	s.signUp("bert")
	a := s.want(200, s.do("PUT", "/api/v1/me/contacts/bert", `{"favourite":true,"blocked":true}`, bearer(maria)...))
	if string(a.body) != `{"favourites":["bert"],"blocked":["bert"]}` {
		t.Errorf("got %s", a.body)
	}
	for _, pair := range [][2]string{{"maria", "bert"}, {"bert", "maria"}} {
		if !s.people.Blocked(pair[0], pair[1]) || s.people.Refuses(pair[0], pair[1]) != rtc.EndBlocked {
			t.Errorf("something passes from %s to %s", pair[1], pair[0])
		}
	}
	a = s.want(200, s.do("PUT", "/api/v1/me/contacts/bert", `{"blocked":false}`, bearer(maria)...))
	if string(a.body) != `{"favourites":["bert"],"blocked":[]}` || s.people.Blocked("maria", "bert") || s.people.Refuses("bert", "maria") != "" {
		t.Errorf("got %s", a.body)
	}
	if got := s.want(200, s.do("GET", "/api/v1/me/contacts", "", bearer(maria)...)); string(got.body) != string(a.body) {
		t.Errorf("got %s", got.body)
	}
	for path, want := range map[string]int{"maria": 422, "nobody": 404, "%27%20OR%201": 404} {
		if a := s.do("PUT", "/api/v1/me/contacts/"+path, `{"blocked":true}`, bearer(maria)...); a.status != want {
			t.Errorf("%s: got %d %s, want %d", path, a.status, a.body, want)
		}
	}
	s.want(200, s.do("PATCH", "/api/v1/me", `{"quiet":true}`, bearer(maria)...))
	if got := s.people.Refuses("maria", "bert"); got != rtc.EndQuiet {
		t.Errorf("got %q, want quiet", got)
	}
	if got := s.people.Refuses("bert", "maria"); got != "" {
		t.Errorf("got %q: who is quiet may call", got)
	}
}

func TestTheListCostsNothingTwice(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	first := s.want(200, s.do("GET", "/api/v1/users", "", append(bearer(token), "Accept-Encoding", "identity")...))
	etag := first.header.Get("ETag")
	again := s.want(304, s.do("GET", "/api/v1/users", "", append(bearer(token), "If-None-Match", etag)...))
	if etag == "" || len(again.body) != 0 {
		t.Errorf("etag %s, %d bytes", etag, len(again.body))
	}
	packed := s.want(200, s.do("GET", "/api/v1/users", "", append(bearer(token), "Accept-Encoding", "gzip")...))
	r, err := gzip.NewReader(bytes.NewReader(packed.body))
	if err != nil || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v %v", err, packed.header)
	}
	if text, err := io.ReadAll(r); err != nil || !bytes.Equal(text, first.body) {
		t.Errorf("got %s, %v", text, err)
	}
	s.signUp("bert")
	s.want(200, s.do("GET", "/api/v1/users", "", append(bearer(token), "If-None-Match", etag)...))
}

func TestDeletedAccountIsGoneForGood(t *testing.T) {
	left := make(chan string, 10)
	var failed atomic.Bool
	s := newSite(t, func(o *siteOptions) {
		o.onGone = func(_ context.Context, id string) error {
			if !failed.Swap(true) {
				return fmt.Errorf("not now")
			}
			left <- id
			return nil
		}
	})
	maria, bert := s.signUp("maria"), s.signUp("bert")
	phone, hers := s.socket(bert, "bert-phone"), s.socket(maria, "maria-phone")
	s.want(200, s.do("PUT", "/api/v1/me/picture", pngOf(t, 40), bearer(maria)...))
	if a := s.do("DELETE", "/api/v1/me", `{"password":"wrong wrong"}`, bearer(maria)...); a.status != 401 || a.code() != account.CodeWrongCredentials {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	s.want(401, s.do("DELETE", "/api/v1/me", "", bearer(maria)...))
	s.want(204, s.do("DELETE", "/api/v1/me", `{"password":"`+password+`"}`, bearer(maria)...))
	if code := closeCode(t, hers); code != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", code)
	}
	for {
		if got := heard(t, phone, "maria"); got.Gone {
			if got.Name != "" || got.Picture != "" {
				t.Errorf("heard %+v", got)
			}
			break
		}
	}
	select {
	case id := <-left: // told again after it failed
		if id != "maria" {
			t.Errorf("%s left", id)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody was told to let go of maria")
	}
	if a := s.do("GET", "/api/v1/users", "", bearer(bert)...); !strings.Contains(string(a.body), `{"id":"maria","name":"","admin":false,"gone":true}`) {
		t.Errorf("the list is %s", a.body)
	}
	s.want(404, s.do("GET", "/api/v1/users/maria/picture", "", bearer(bert)...))
	s.want(401, s.do("GET", "/api/v1/me", "", bearer(maria)...))
	s.want(401, s.do("POST", "/api/v1/login", `{"id":"maria","password":"`+password+`"}`))
	if a := s.do("POST", "/api/v1/register", `{"id":"maria","name":"M","password":"`+password+`"}`); a.code() != account.CodeIDTaken {
		t.Errorf("the id was given again: %d %s", a.status, a.body)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	s := newSite(t)
	if _, err := s.accounts.AddUser(t.Context(), "maria", "Maria", password, true); err != nil {
		t.Fatal(err)
	}
	maria := s.signIn("maria", password)
	if a := s.do("DELETE", "/api/v1/me", `{"password":"`+password+`"}`, bearer(maria)...); a.status != 409 || a.code() != account.CodeLastAdmin {
		t.Errorf("got %d %s", a.status, a.body)
	}
	s.want(200, s.do("GET", "/api/v1/me", "", bearer(maria)...))
}

func TestGuestDeletesWithoutPassword(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.rules = account.Registration{Guests: true} })
	var grant grantBody
	if err := json.Unmarshal(s.want(200, s.do("POST", "/api/v1/guest", `{"name":"Bert"}`)).body, &grant); err != nil {
		t.Fatal(err)
	}
	s.want(204, s.do("DELETE", "/api/v1/me", "", bearer(grant.Token)...))
	if a := s.do("GET", "/api/v1/users", "", bearer(s.signUp("maria"))...); strings.Contains(string(a.body), grant.User.ID) {
		t.Errorf("still listed: %s", a.body)
	}
}

func TestExport(t *testing.T) {
	s := newSite(t, func(o *siteOptions) {
		o.export = []ExportPart{func(_ context.Context, id string, create func(string) (io.Writer, error)) error {
			w, err := create("messages/bert.jsonl")
			if err == nil {
				_, err = io.WriteString(w, id+"\n")
			}
			return err
		}}
	})
	maria := s.signUp("maria")
	s.want(200, s.do("PATCH", "/api/v1/me", `{"line":"medic"}`, bearer(maria)...))
	s.want(200, s.do("PUT", "/api/v1/me/picture", pngOf(t, 40), bearer(maria)...))
	a := s.want(200, s.do("GET", "/api/v1/me/export", "", bearer(maria)...))
	archive, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	if !strings.Contains(files["profile.json"], `"line": "medic"`) || files["messages/bert.jsonl"] != "maria\n" || len(files["picture.jpg"]) < 500 {
		t.Errorf("got %v", files)
	}
	if strings.Contains(files["profile.json"], "password") || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("got %s, %v", files["profile.json"], a.header)
	}
	if a := s.do("GET", "/api/v1/me/export", "", bearer(maria)...); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("again: %d %s", a.status, a.body)
	}
}

func TestExportThatFailsBreaksOff(t *testing.T) {
	s := newSite(t, func(o *siteOptions) {
		o.export = []ExportPart{func(context.Context, string, func(string) (io.Writer, error)) error { return io.ErrUnexpectedEOF }}
	})
	req := s.signUp("maria")
	// On a connection of its own: on one that was in use the client would try again.
	resp, err := s.newClient("").Do(s.request("GET", "/api/v1/me/export", "", bearer(req)...))
	if err != nil {
		return // broken off before the header
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("%d %q came as if it were all", resp.StatusCode, text)
	}
}
