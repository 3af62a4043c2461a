package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// post sends JSON and gives the status, the body and its error code.
func (r *runner) post(path, body, token string) (status int, text, code string) {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var e struct{ Error struct{ Code string } }
	_ = json.Unmarshal(answer, &e)
	return resp.StatusCode, string(answer), e.Error.Code
}

var adminLinkRule = regexp.MustCompile(`https://127\.0\.0\.1:\d+/#admin=([A-Z2-7]{26})`)

// Ensure the first start prints a code that makes one administrator, and a
// start of a site that has one prints none.
func TestFirstAdministratorByTheConsolesCode(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	r := startServerOn(t, data)
	code := adminLinkRule.FindStringSubmatch(r.stdout.String())
	if code == nil {
		t.Fatalf("no code on the console:\n%s", r.stdout.String())
	}
	if strings.Contains(r.stderr.String(), code[1]) {
		t.Error("the code is in the log")
	}
	const account = `{"id":"maria","name":"Maria","password":"correct horse"}`
	r.post("/api/v1/register", account, "")
	_, login, _ := r.post("/api/v1/login", account, "")
	var grant struct{ Token string }
	if err := json.Unmarshal([]byte(login), &grant); err != nil {
		t.Fatal(err)
	}
	if status, _, code := r.post("/api/v1/admin/claim", `{"code":"AAAAAAAAAAAAAAAAAAAAAAAAAA"}`, grant.Token); status != 403 || code != "admin_code_wrong" {
		t.Errorf("a forged code: %d %s", status, code)
	}
	if status, body, _ := r.post("/api/v1/admin/claim", `{"code":"`+code[1]+`"}`, grant.Token); status != 200 || !strings.Contains(body, `"admin":true`) {
		t.Errorf("the code: %d %s", status, body)
	}
	if status, _, _ := r.post("/api/v1/admin/claim", `{"code":"`+code[1]+`"}`, grant.Token); status != 403 {
		t.Errorf("the code once more: %d", status)
	}
	r.wait(0)
	again := startServerOn(t, data)
	if adminLinkRule.MatchString(again.stdout.String()) {
		t.Error("a site with an administrator offers the place again")
	}
}

// Ensure an invite made on the command line while the server runs lets one in.
func TestInviteFromTheCommandLine(t *testing.T) {
	r := startServer(t, "REGISTRATION_POLICY=invite", "NAME=Camp 3")
	if got, want := r.get("/api/v1/site"), `{"guests":true,"name":"Camp 3","policy":"invite","users_may_invite":false}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(r.stdout.String(), "fieldphone user add ID --name NAME --admin") {
		t.Error("the console does not say how to make the first account")
	}
	var out, errs bytes.Buffer
	if exit := run(t.Context(), []string{"user", "invite", "--data", r.data, "--url", r.url}, strings.NewReader(""), &out, &errs); exit != 0 {
		t.Fatalf("exit %d: %s", exit, errs.String())
	}
	link := regexp.MustCompile(regexp.QuoteMeta(r.url) + `/#join=([A-Z2-7]{26})`).FindStringSubmatch(out.String())
	if link == nil || !strings.Contains(out.String(), "█") {
		t.Fatalf("no link or no QR code:\n%s", out.String())
	}
	for _, step := range []struct {
		body, code string
		status     int
	}{
		{`{"name":"Maria"}`, "invite_required", 403},
		{`{"name":"Maria","invite":"AAAAAAAAAAAAAAAAAAAAAAAAAA"}`, "invite_unknown", 403},
		{`{"name":"Maria","invite":"` + link[1] + `"}`, "", 200},
		{`{"name":"Bert","invite":"` + link[1] + `"}`, "invite_used_up", 410},
	} {
		if status, body, code := r.post("/api/v1/guest", step.body, ""); status != step.status || code != step.code {
			t.Errorf("%s: %d %s, want %d %s", step.body, status, body, step.status, step.code)
		}
	}
}
