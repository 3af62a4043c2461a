package onboard

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func testCA() *CA {
	der := []byte("a certificate")
	return &CA{DER: der, Name: "Fieldphone CA 0A0B0C0D", Fingerprint: FingerprintOf(der), NotAfter: time.Date(2036, 7, 1, 0, 0, 0, 0, time.UTC), Names: []string{"local", "lan"}, Local: true}
}

func render(t *testing.T, r Request) string {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if r.Host == "" {
		r.Host, r.SecureURL, r.StartURL, r.Site = "10.77.1.1", "https://10.77.1.1:8443/", "http://10.77.1.1:8080/", Site{CA: testCA()}
	}
	page, err := p.Page(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// Each device sees its own menus, and no other's.
func TestPageShowsTheStepsOfTheDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		r        Request
		has, not []string
	}{
		"Android Chrome":  {Request{Hints: Hints{UserAgent: on("K", "Chrome/138.0.0.0 Mobile Safari/537.36")}}, []string{"Proceed to 10.77.1.1 (unsafe)", "Encryption &amp; credentials", "Install anyway", "may be monitored"}, []string{"Secret Settings", "Certificate Trust Settings", "Keychain"}},
		"Android Firefox": {Request{Hints: Hints{UserAgent: "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"}}, []string{"Accept the Risk and Continue", "Use third party CA certificates"}, []string{"View Certificates"}},
		"Xiaomi, Chinese": {Request{Accept: "zh-CN", Hints: Hints{UserAgent: on("Redmi Note 12", "Chrome/112.0.0.0 Mobile Safari/537.36")}}, []string{"密码与安全", "加密与凭据", "继续前往10.77.1.1（不安全）", "小米、红米"}, []string{"more security", "Encryption"}},
		"Huawei":          {Request{Language: "zh-CN", On: "android", By: "huawei"}, []string{"更多安全设置", "从存储设备安装"}, nil},
		"Samsung":         {Request{On: "android", By: "samsung"}, []string{"Install from phone storage"}, nil},
		"OPPO":            {Request{On: "android", By: "oppo", Language: "zh"}, []string{"系统安全", "凭据存储"}, nil},
		"vivo":            {Request{On: "android", By: "vivo"}, []string{"More security settings"}, nil},
		"iPhone":          {Request{Hints: Hints{UserAgent: iPhone + "Version/17.5 Mobile/15E148 Safari/604.1"}}, []string{"fieldphone-ca.mobileconfig", `class="loud">Not done yet!`, "Certificate Trust Settings", "switch on Fieldphone CA 0A0B0C0D", "visit this website"}, []string{"only Safari can", "Install anyway"}},
		"iPhone Chrome":   {Request{Hints: Hints{UserAgent: iPhone + "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1"}}, []string{"only Safari can install profiles"}, nil},
		"Windows Edge":    {Request{Hints: Hints{UserAgent: windows10 + " Edg/138.0.0.0"}}, []string{"Continue to 10.77.1.1 (unsafe)", "Trusted Root Certification Authorities"}, []string{"View Certificates"}},
		"Windows Firefox": {Request{On: "windows", With: "firefox"}, []string{"View Certificates", "?open=1"}, []string{"Trusted Root Certification Authorities"}},
		"Mac":             {Request{On: "macos"}, []string{"Keychain Access", "Always Trust", "On an iPad?"}, nil},
		"Linux":           {Request{On: "linux", With: "chrome"}, []string{"chrome://certificate-manager", "certutil -d sql:$HOME/.pki/nssdb"}, nil},
		"Chromebook":      {Request{On: "chromeos"}, []string{"Manage certificates"}, nil},
		"HarmonyOS":       {Request{On: "harmony", Language: "zh-CN"}, []string{"证书与凭据"}, nil},
		"WeChat":          {Request{Language: "zh-CN", Hints: Hints{UserAgent: on("K; wv", "Chrome/116.0.0.0 MicroMessenger/8.0.47")}}, []string{"您正在微信内浏览", "在浏览器打开", `value="http://10.77.1.1:8080/"`}, []string{"继续前往", "fieldphone-ca.crt"}},
		"WeChat, chosen":  {Request{On: "ios", Hints: Hints{UserAgent: on("K; wv", "Chrome/116.0.0.0 MicroMessenger/8.0.47")}}, []string{"Certificate Trust Settings"}, []string{"Open in browser"}},
		"unknown":         {Request{}, []string{"Choose your device", testCA().Fingerprint.Digits()}, []string{"Install anyway"}},
		"nonsense chosen": {Request{On: "toaster", With: "x", By: "y"}, []string{"Choose your device"}, []string{"toaster"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := html.UnescapeString(strings.ReplaceAll(strings.ReplaceAll(render(t, tt.r), "<b>", ""), "</b>", ""))
			for _, want := range tt.has {
				if !strings.Contains(page, html.UnescapeString(want)) {
					t.Errorf("%q is not on the page", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(page, not) {
					t.Errorf("%q is on the page", not)
				}
			}
		})
	}
}

// The one line without which nothing works on an iPhone stands out in both languages.
func TestSecondSwitchIsLoud(t *testing.T) {
	for _, lang := range []string{"en", "zh-CN"} {
		if page := render(t, Request{On: "ios", Language: lang}); strings.Count(page, `class="loud"`) != 1 {
			t.Errorf("%s: it is not", lang)
		}
	}
}

func TestPageIsHonestAboutLimits(t *testing.T) {
	ca := *testCA()
	limited := Request{Language: "en", Host: "h", SecureURL: "https://h/", StartURL: "http://h/", Site: Site{CA: &ca}}
	if page := render(t, limited); !strings.Contains(page, "local, lan") || !strings.Contains(page, "Browsers refuse anything else") {
		t.Error("it does not say what the CA cannot do")
	}
	ca.Local = false
	if page := render(t, limited); strings.Contains(page, "Browsers refuse anything else") || !strings.Contains(page, "can pose as any site") {
		t.Error("it claims limits that the CA does not have")
	}
}

// No sentence is missing in a language, no mark-up is left over, and every word that the
// page asks for is there.
func TestTextsAreComplete(t *testing.T) {
	words := sentences()
	check := func(what string, s text) {
		if s.en == "" || s.zh == "" || strings.Count(s.en, "{}") != strings.Count(s.zh, "{}") {
			t.Errorf("%s: %+v", what, s)
		}
		for _, lang := range []Language{English, Chinese} {
			if out := string(newMarker().html(s, lang, values{"h", "c"})); strings.ContainsAny(regexp.MustCompile(`</?\w[^>]*>`).ReplaceAllString(out, ""), "*‹[") {
				t.Errorf("%s: %s", what, out)
			}
		}
	}
	for key, s := range words {
		check(key, s)
	}
	source, err := files.ReadFile("page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`call (?:\$?\.)?\$?\.?T "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		if words[m[1]] == (text{}) {
			t.Errorf("the page asks for %q", m[1])
		}
	}
	for _, platform := range append(Platforms(), "") {
		for _, browser := range []Browser{Chrome, Edge, Firefox, Safari, SamsungNet, OtherBrowser} {
			for _, maker := range append(makers(), UnknownMaker) {
				c := Client{platform, browser, maker, "WeChat"}
				for _, s := range slices.Concat(quick(c), full(c), leaveApp(c), []text{quickLimits(c)}) {
					check(string(platform)+" "+string(browser), s)
				}
			}
		}
	}
}

// Every link on the page leads to a page that exists.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, platform := range Platforms() {
		page := render(t, Request{On: string(platform), Language: "zh-CN", Link: "0123456789"})
		for _, m := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(page, -1) {
			path, query, _ := strings.Cut(html.UnescapeString(m[1]), "?")
			if !slices.Contains([]string{"/", "/favicon.svg", "/fieldphone-ca.crt", "/fieldphone-ca.der", "/fieldphone-ca.pem", "/fieldphone-ca.mobileconfig"}, path) {
				t.Errorf("%s: link to %s", platform, m[1])
			}
			if path == "/" && !strings.Contains(query, "lang=") {
				t.Errorf("%s: %s loses the language", platform, m[1])
			}
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, tt := range []struct {
		chosen, accept string
		want           Language
	}{
		{"", "", English},
		{"", "zh-TW,zh;q=0.9,en;q=0.8", Chinese},
		{"", "en-GB,zh;q=0.9", English},
		{"en", "zh-CN", English},
		{"zh", "en", Chinese},
		{"tlh", "zh", English},
	} {
		if got := languageOf(tt.chosen, tt.accept); got != tt.want {
			t.Errorf("%q %q: %s", tt.chosen, tt.accept, got)
		}
	}
}
