package onboard

import (
	"strings"
	"testing"
)

const (
	iPhone    = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	android14 = "Mozilla/5.0 (Linux; Android 14; %) AppleWebKit/537.36 (KHTML, like Gecko) "
	windows10 = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)

func on(model, rest string) string { return strings.Replace(android14, "%", model, 1) + rest }

func TestDetect(t *testing.T) {
	d := NewDetector()
	for _, tt := range []struct {
		ua   string
		want Client
	}{
		// Android
		{on("K", "Chrome/138.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, "", ""}},
		{on("Pixel 8", "Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, "", ""}},
		{"Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", Client{Android, Firefox, "", ""}},
		{on("K", "Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0.0.0"), Client{Android, Edge, "", ""}},
		{on("K", "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"), Client{Android, SamsungNet, Samsung, ""}},
		{on("SM-S921B", "Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Samsung, ""}},
		{on("SAMSUNG SM-G991B", "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36"), Client{Android, SamsungNet, Samsung, ""}},
		{on("23127PN0CC Build/UKQ1.230804.001", "Version/4.0 Chrome/118.0.0.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.2.150419"), Client{Android, OtherBrowser, Xiaomi, ""}},
		{on("Redmi Note 12", "Chrome/112.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Xiaomi, ""}},
		{on("M2101K6G", "Chrome/112.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Xiaomi, ""}},
		{"Mozilla/5.0 (Linux; Android 12; ALN-AL00 Build/HUAWEIALN-AL00) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36", Client{Android, OtherBrowser, Huawei, ""}},
		{on("HONOR BVL-AN16", "Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Huawei, ""}},
		{on("PHB110 Build/SKQ1", "Version/4.0 Chrome/115.0.0.0 Mobile Safari/537.36 HeyTapBrowser/40.10.6.1"), Client{Android, OtherBrowser, Oppo, ""}},
		{on("CPH2525", "Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Oppo, ""}},
		{on("RMX3706", "Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, Oppo, ""}},
		{on("V2324A; wv", "Version/4.0 Chrome/123.0.0.0 Mobile Safari/537.36 VivoBrowser/19.2.10.0"), Client{Android, OtherBrowser, Vivo, ""}},
		{on("K", "UCBrowser/13.4.0.1306 Mobile Safari/537.36"), Client{Android, OtherBrowser, "", ""}},
		{"Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36  ArkWeb/4.1.6.1 Mobile", Client{Harmony, OtherBrowser, "", ""}},
		// inside apps
		{on("V2227A Build/TP1A; wv", "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"), Client{Android, Chrome, Vivo, "WeChat"}},
		{iPhone + "Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN", Client{IOS, OtherBrowser, "", "WeChat"}},
		{iPhone + "Mobile/15E148 wxwork/4.1.20 MicroMessenger/7.0.1 Language/zh", Client{IOS, OtherBrowser, "", "WeCom"}},
		{on("K; wv", "Version/4.0 Chrome/109.0.0.0 MQQBrowser/6.2 Mobile Safari/537.36 V1_AND_SQ_9.0.8 QQ/9.0.8.14755 NetType/WIFI"), Client{Android, OtherBrowser, "", "QQ"}},
		{on("K", "Version/4.0 Chrome/109.0.0.0 MQQBrowser/14.9 Mobile Safari/537.36"), Client{Android, OtherBrowser, "", ""}},
		{iPhone + "Mobile/15E148 AliApp(DingTalk/7.5.0) com.laiwang.DingTalk/35310421", Client{IOS, OtherBrowser, "", "DingTalk"}},
		{on("K; wv", "Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/450.0.0.0;]"), Client{Android, Chrome, "", "Facebook"}},
		{iPhone + "Mobile/15E148 Instagram 330.0.0.0 (iPhone14,5; iOS 17_5_1)", Client{IOS, OtherBrowser, "", "Instagram"}},
		{iPhone + "Mobile/15E148 Safari Line/14.5.0", Client{IOS, OtherBrowser, "", "LINE"}},
		{on("K; wv", "Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36"), Client{Android, Chrome, "", otherApp}},
		{strings.TrimSuffix(iPhone, " ") + " Mobile/15E148", Client{IOS, OtherBrowser, "", otherApp}},
		// Apple
		{iPhone + "Version/17.5 Mobile/15E148 Safari/604.1", Client{IOS, Safari, "", ""}},
		{iPhone + "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", Client{IOS, Chrome, "", ""}},
		{iPhone + "FxiOS/127.0 Mobile/15E148 Safari/605.1.15", Client{IOS, Firefox, "", ""}},
		{iPhone + "EdgiOS/125.0 Version/17.0 Mobile/15E148 Safari/604.1", Client{IOS, Edge, "", ""}},
		{"Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1", Client{IOS, Safari, "", ""}},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", Client{MacOS, Safari, "", ""}},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0", Client{MacOS, Firefox, "", ""}},
		// desktops
		{windows10, Client{Windows, Chrome, "", ""}},
		{windows10 + " Edg/138.0.0.0", Client{Windows, Edge, "", ""}},
		{windows10 + " OPR/112.0.0.0", Client{Windows, OtherBrowser, "", ""}},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", Client{Windows, Firefox, "", ""}},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Client{Linux, Firefox, "", ""}},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", Client{Linux, Chrome, "", ""}},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", Client{ChromeOS, Chrome, "", ""}},
		// nothing known
		{"", Client{"", OtherBrowser, "", ""}},
		{"curl/8.5.0", Client{"", OtherBrowser, "", ""}},
		{strings.Repeat("Android", 100_000), Client{Android, OtherBrowser, "", ""}},
	} {
		if got := d.Detect(Hints{UserAgent: tt.ua}); got != tt.want {
			t.Errorf("%.120s\n got %+v\nwant %+v", tt.ua, got, tt.want)
		}
	}
}

// Over a secure way browsers hide less in client hints than in the User-Agent.
func TestDetectTakesClientHints(t *testing.T) {
	got := NewDetector().Detect(Hints{
		UserAgent: on("K", "Chrome/138.0.0.0 Mobile Safari/537.36"), Platform: `"Android"`, Model: `"SM-S921B"`,
		Brands: `"Microsoft Edge";v="138", "Chromium";v="138"`,
	})
	if want := (Client{Android, Edge, Samsung, ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := NewDetector().Detect(Hints{UserAgent: windows10, Platform: `"Chrome OS"`}); got.Platform != ChromeOS {
		t.Errorf("got %+v", got)
	}
}
