package onboard

import (
	"regexp"
	"strings"
)

// Platform is the system that a device runs.
type Platform string

// The platforms that the page has steps for.
const (
	Android  Platform = "android"
	IOS      Platform = "ios" // also iPadOS
	Windows  Platform = "windows"
	MacOS    Platform = "macos"
	Linux    Platform = "linux"
	ChromeOS Platform = "chromeos"
	Harmony  Platform = "harmony" // HarmonyOS 5 and later, which is no Android
)

// Platforms lists them in the order in which the page offers them.
func Platforms() []Platform {
	return []Platform{Android, IOS, Windows, MacOS, Linux, ChromeOS, Harmony}
}

// Browser is a family of browsers that warn in the same words.
type Browser string

// The families. OtherBrowser is one whose words are not known here.
const (
	Chrome       Browser = "chrome"
	Edge         Browser = "edge"
	Firefox      Browser = "firefox"
	Safari       Browser = "safari"
	SamsungNet   Browser = "samsung"
	OtherBrowser Browser = "other"
)

// Maker is who made an Android device: each names the settings otherwise.
type Maker string

// The makers whose settings the page knows, with the brands that share them.
const (
	Xiaomi       Maker = "xiaomi"  // also Redmi, POCO
	Huawei       Maker = "huawei"  // also Honor
	Oppo         Maker = "oppo"    // also realme, OnePlus
	Vivo         Maker = "vivo"    // also iQOO
	Samsung      Maker = "samsung" //
	UnknownMaker Maker = ""
)

// Client is what asks for the page.
type Client struct {
	Platform Platform // empty: unknown
	Browser  Browser
	Maker    Maker
	// App is set inside an app that shows pages itself, and has no camera for them or no
	// way past a warning: its name.
	App string
}

// Hints are the request's headers that tell of the client. The three after the first are
// client hints, which browsers send only over a secure connection or from the same
// machine: on the start page they are mostly empty, and Chrome's User-Agent hides the model.
type Hints struct {
	UserAgent string
	Brands    string // Sec-CH-UA
	Platform  string // Sec-CH-UA-Platform
	Model     string // Sec-CH-UA-Model
}

// otherApp is an app that shows pages and does not say its name.
const otherApp = "other"

// maxUserAgent bounds what is looked at.
const maxUserAgent = 1024

// Detector tells clients apart.
type Detector struct {
	apps     []mark[string]
	browsers []mark[Browser]
	makers   []mark[Maker]
}

// mark is how one of several is told: the first that matches counts.
type mark[T any] struct {
	pattern *regexp.Regexp
	is      T
}

// said is a mark as it is written down.
type said[T any] struct {
	pattern string
	is      T
}

func marks[T any](all ...said[T]) []mark[T] {
	out := make([]mark[T], len(all))
	for i, s := range all {
		out[i] = mark[T]{regexp.MustCompile(s.pattern), s.is}
	}
	return out
}

func first[T any](marks []mark[T], text string, otherwise T) T {
	for _, m := range marks {
		if m.pattern.MatchString(text) {
			return m.is
		}
	}
	return otherwise
}

// NewDetector makes a detector.
func NewDetector() *Detector {
	return &Detector{apps: appMarks(), browsers: browserMarks(), makers: makerMarks()}
}

func appMarks() []mark[string] {
	return marks([]said[string]{
		{`wxwork/`, "WeCom"},
		{`MicroMessenger`, "WeChat"},
		{`DingTalk`, "DingTalk"},
		{`Lark/|Feishu`, "Feishu"},
		{`\bQQ/`, "QQ"},
		{`AlipayClient`, "Alipay"},
		{`Weibo|__weibo__`, "Weibo"},
		{`aweme|BytedanceWebview|musical_ly|TikTok`, "TikTok"},
		{`baiduboxapp`, "Baidu"},
		{`Instagram`, "Instagram"},
		{`FBAN|FBAV|FB_IAB|MessengerForiOS`, "Facebook"},
		{`\bLine/`, "LINE"},
		{`KAKAOTALK`, "KakaoTalk"},
		{`Snapchat`, "Snapchat"},
		{`Twitter`, "X"},
		{`Telegram-Android`, "Telegram"},
		{`; wv\)`, otherApp},
		{`\(iP(hone|ad|od)[^)]*\) AppleWebKit/[\d.]+ \(KHTML, like Gecko\) Mobile/\w+$`, otherApp},
	}...)
}

// Detect tells platform, browser, maker and app from what a browser says of itself. What
// it cannot tell stays empty: the page then asks.
func (d *Detector) Detect(h Hints) Client {
	ua := h.UserAgent[:min(len(h.UserAgent), maxUserAgent)]
	c := Client{Platform: platformOf(ua, h), Browser: first(d.browsers, ua, ""), App: first(d.apps, ua, "")}
	if c.Browser == OtherBrowser && c.App == otherApp {
		c.App = "" // some makers' browsers show pages as apps do
	}
	if c.Browser == "" {
		c.Browser = OtherBrowser
	}
	if strings.Contains(h.Brands, "Microsoft Edge") {
		c.Browser = Edge
	}
	if c.Platform == Android {
		c.Maker = first(d.makers, ua+" "+h.Model[:min(len(h.Model), maxUserAgent)], UnknownMaker)
	}
	return c
}

func platformOf(ua string, h Hints) Platform {
	switch strings.Trim(h.Platform, `"`) {
	case "Android":
		return Android
	case "Windows":
		return Windows
	case "macOS":
		return MacOS
	case "Linux":
		return Linux
	case "Chrome OS", "Chromium OS":
		return ChromeOS
	}
	for _, p := range []struct {
		mark     string
		platform Platform
	}{
		{"OpenHarmony", Harmony},
		{"ArkWeb", Harmony},
		{"Windows Phone", ""},
		{"Android", Android},
		{"iPhone", IOS},
		{"iPad", IOS},
		{"iPod", IOS},
		{"CrOS", ChromeOS},
		{"Windows", Windows},
		{"Macintosh", MacOS},
		{"Linux", Linux},
		{"X11", Linux},
	} {
		if strings.Contains(ua, p.mark) {
			return p.platform
		}
	}
	return ""
}

// browserMarks are in order: nearly all browsers say Chrome and Safari as well.
func browserMarks() []mark[Browser] {
	return marks([]said[Browser]{
		{`Edg(e|A|iOS)?/`, Edge},
		{`SamsungBrowser/`, SamsungNet},
		{`Firefox/|FxiOS/|Focus/`, Firefox},
		{`MiuiBrowser|HuaweiBrowser|HonorBrowser|HeyTapBrowser|VivoBrowser|UCBrowser|MQQBrowser|QQBrowser|Quark|baidu|360SE|QHBrowser|LBBROWSER|MetaSr|Sogou|ArkWeb|YaBrowser|OPR/|OPT/|OPX/|DuckDuckGo`, OtherBrowser},
		{`Chrome/|Chromium/|CriOS/`, Chrome},
		{`Version/[\d.]+.*Safari/`, Safari},
	}...)
}

func makerMarks() []mark[Maker] {
	return marks([]said[Maker]{
		{`(?i)\b(xiaomi|redmi|poco|miui\w*|mi \w+)\b|\b(M2\d{3}\w+|2[0-9]{3,}[A-Z0-9]*[CGIY])\b`, Xiaomi},
		{`(?i)huawei|honor|\b(VOG|ELS|ANA|LIO|TAS|EVR|LYA|CLT|EML|JNY|NOH|OCE|ALN|BRA|CET|DCO)-`, Huawei},
		{`(?i)\b(oppo|realme|oneplus|heytap\w*|RMX\d+|CPH\d+|P[A-Z]{3}\d0|KB20\d\d|LE21\d\d|IN20\d\d)`, Oppo},
		{`(?i)\b(vivo\w*|iqoo|V[12]\d{3}A)\b`, Vivo},
		{`(?i)samsung|\bSM-[A-Z]\d+`, Samsung},
	}...)
}
