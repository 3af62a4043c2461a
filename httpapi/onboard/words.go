package onboard

// platformName is how people call a platform.
func platformName(p Platform) text {
	switch p {
	case Android:
		return text{"Android", "安卓"}
	case IOS:
		return text{"iPhone, iPad", "iPhone、iPad"}
	case Windows:
		return text{"Windows", "Windows"}
	case MacOS:
		return text{"Mac", "Mac"}
	case Linux:
		return text{"Linux", "Linux"}
	case ChromeOS:
		return text{"Chromebook", "Chromebook"}
	case Harmony:
		return text{"HarmonyOS 5+", "鸿蒙 5 及以上"}
	}
	return text{"this device", "本设备"}
}

func browserName(b Browser) text {
	switch b {
	case Chrome:
		return text{"Chrome", "Chrome"}
	case Edge:
		return text{"Edge", "Edge"}
	case Firefox:
		return text{"Firefox", "Firefox"}
	case Safari:
		return text{"Safari", "Safari"}
	case SamsungNet:
		return text{"Samsung Internet", "三星浏览器"}
	}
	return text{"another browser", "其他浏览器"}
}

func makerName(m Maker) text {
	switch m {
	case Xiaomi:
		return text{"Xiaomi, Redmi, POCO", "小米、红米"}
	case Huawei:
		return text{"Huawei, Honor", "华为、荣耀"}
	case Oppo:
		return text{"OPPO, realme, OnePlus", "OPPO、realme、一加"}
	case Vivo:
		return text{"vivo, iQOO", "vivo、iQOO"}
	case Samsung:
		return text{"Samsung", "三星"}
	}
	return text{}
}

// browsersOn are the families that the page can be asked for on a platform.
func browsersOn(p Platform) []Browser {
	switch p {
	case Android:
		return []Browser{Chrome, Firefox, Edge, SamsungNet, OtherBrowser}
	case IOS:
		return []Browser{Safari, Chrome, Firefox}
	case MacOS:
		return []Browser{Safari, Chrome, Edge, Firefox}
	case Harmony:
		return []Browser{OtherBrowser}
	case ChromeOS:
		return []Browser{Chrome}
	}
	return []Browser{Chrome, Edge, Firefox, OtherBrowser}
}

// sentences are the page's other words.
func sentences() map[string]text {
	return map[string]text{
		"lead":      {"The telephone of this network. See who is here and call them by video, voice or text, without the internet.", "本地网络的电话。没有互联网也能看到谁在线，并进行视频、语音和文字通话。"},
		"checking":  {"Looking whether this device trusts the site already…", "正在检查本设备是否已信任本站……"},
		"trusted":   {"This browser opens Fieldphone without a warning. Going on…", "本浏览器已可直接打开 Fieldphone，正在前往……"},
		"ready":     {"This browser opens Fieldphone without a warning.", "本浏览器已可直接打开 Fieldphone。"},
		"untrusted": {"This browser does not trust the site yet. Choose one of the two ways.", "本浏览器尚未信任本站，请从以下两种方式中任选一种。"},
		"apk":       {"The Android app, which rings while the phone sleeps", "安卓应用：手机休眠时也能响铃"},
		"stay":      {"Stay on this page", "留在本页"},
		"behind":    {"The clock of this device is {} behind the server's.", "本设备的时钟比服务器慢 {}。"},
		"ahead":     {"The clock of this device is {} ahead of the server's.", "本设备的时钟比服务器快 {}。"},
		"clock":     {"Browsers refuse certificates when the clock is wrong. Set the one that is wrong: this device's, or tell the administrator about the server's.", "时钟不准时浏览器会拒绝证书。请校准有误的一方：本设备；若是服务器，请告知管理员。"},
		"days":      {"d", "天"}, "hours": {"h", "小时"}, "minutes": {"min", "分"},
		"other":       {"This code was made for another server.", "这个二维码属于另一台服务器。"},
		"otherMore":   {"Its fingerprint does not fit this one. Perhaps two servers share an address, or somebody pretends to be the one you want. Ask the administrator before you go on.", "它的指纹与本服务器不符。可能有两台服务器使用同一地址，也可能有人冒充。继续之前请先询问管理员。"},
		"renewed":     {"This code is from before the certificate was renewed.", "这个二维码是证书更新之前的。"},
		"renewedMore": {"Devices that are set up go on as they are. For others, compare the fingerprint with the server's screen or a new poster.", "已设置好的设备可照常使用。新设备请与服务器屏幕或新海报核对指纹。"},
		"inApp":       {"You are inside {}, which cannot make calls. Open a real browser.", "您正在{}内浏览，无法通话。请改用真正的浏览器。"},
		"copy":        {"Copy", "复制"}, "copied": {"Copied", "已复制"}, "address": {"Address of this page", "本页地址"},
		"quick":     {"Quick start", "快速开始"},
		"quickNote": {"Accept the browser's warning once, and call.", "接受一次浏览器警告，即可通话。"},
		"open":      {"Open Fieldphone", "打开 Fieldphone"},
		"full":      {"Full set-up", "完整设置"},
		"fullNote":  {"Install this site's certificate: no more warnings, and the phone can be installed as an app.", "安装本站证书：不再有警告，还可以把电话安装为应用。"},
		"compare":   {"Compare these numbers with the server's screen or poster. If they differ, stop and tell the administrator.", "请将这些数字与服务器屏幕或海报核对。若不一致，请停止并告知管理员。"},
		"names":     {"Menus are named a little differently from version to version. If one is missing, search the settings for ‹certificate›.", "各版本的菜单名称略有不同。找不到时，请在设置中搜索‹证书›。"},
		"monitored": {"Android will say that the network may be monitored. It says so of every certificate that you add yourself; what this one can do is written below.", "安卓会提示“网络可能会受到监控”。凡是自行添加的证书都会有此提示；本证书能做什么见下文。"},
		"ipad":      {"On an iPad? Take the steps for iPad.", "用的是 iPad？请看 iPad 的步骤。"},
		"about":     {"What you trust here", "您信任的是什么"},
		"tofu":      {"This page is not protected: somebody on this network could change it, with the numbers and the certificate on it. So compare with the server itself. Strictest: after installing, open the certificate in your device's settings and compare its SHA-256 with the server's screen:", "本页面未加密：网络上的人可能篡改它，包括其中的数字和证书。因此请与服务器本身核对。最严格的做法：安装后在设备设置中打开该证书，将其 SHA-256 与服务器屏幕核对："},
		"bits":      {"The six groups of digits above are 99 bits of it.", "上面的六组数字含其中的 99 位。"},
		"can":       {"The certificate lets whoever runs this server vouch for names that are, or end in, {}, and for addresses that exist only inside local networks. Browsers refuse anything else it signs, such as a bank's or a mail service's page, even if its key is stolen.", "该证书只能让本服务器的管理者为以下名称（或以其结尾的名称）作证：{}；以及只存在于本地网络的地址。它签发的其他任何内容（如银行或邮箱页面），浏览器都会拒绝，即使密钥被盗也是如此。"},
		"canAll":    {"This certificate is not limited to this network: whoever has its key can pose as any site to a device that trusts it. Install it only if you trust those who run this server.", "该证书不限于本网络：持有其密钥的人可以向信任它的设备冒充任何网站。只有在信任本服务器管理者时才安装。"},
		"remove":    {"It reads nothing on your device, and you can remove it in the same menu at any time. It is valid until {}.", "它不会读取设备上的任何内容，您随时可以在同一菜单中删除它。有效期至 {}。"},
		"others":    {"Another device or browser", "其他设备或浏览器"},
		"device":    {"Device", "设备"}, "browser": {"Browser", "浏览器"}, "brand": {"Brand", "品牌"},
		"files":  {"The certificate as a file", "证书文件"},
		"noCA":   {"This site's certificate is vouched for by others. There is nothing to install.", "本站证书由其他机构签发，无需安装任何东西。"},
		"noCA2":  {"If your browser warns all the same, tell the administrator; do not go past the warning.", "如果浏览器仍然警告，请告知管理员，不要忽略警告。"},
		"choose": {"Choose your device to see its steps.", "请选择您的设备以查看步骤。"},
	}
}

func appName(app string) text {
	switch app {
	case "WeChat":
		return text{"WeChat", "微信"}
	case "WeCom":
		return text{"WeCom", "企业微信"}
	case "DingTalk":
		return text{"DingTalk", "钉钉"}
	case "Feishu":
		return text{"Lark", "飞书"}
	case "Alipay":
		return text{"Alipay", "支付宝"}
	case "Weibo":
		return text{"Weibo", "微博"}
	case "TikTok":
		return text{"TikTok", "抖音"}
	case "Baidu":
		return text{"Baidu", "百度"}
	case otherApp:
		return text{"another app", "其他应用"}
	}
	return text{app, app}
}
