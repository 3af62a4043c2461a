package onboard

// quick returns how to get past a browser's warning, in the browser's own words.
func quick(c Client) []text {
	open := text{"Press the button below. A warning appears: nobody on the internet vouches for this server.", "点下面的按钮。会出现警告，因为没有互联网机构为本服务器作证。"}
	allow := text{"Create an account and allow *camera* and *microphone* when asked.", "注册账号；询问时允许使用*摄像头*和*麦克风*。"}
	return append(append([]text{open}, warning(c)...), allow)
}

func warning(c Client) []text {
	if c.Platform == IOS && c.Browser == Firefox {
		return []text{{
			"It is headed *This Connection is Untrusted*. Tap *Advanced*, then *Visit site anyway*.",
			"标题为*此连接不受信任*。点*高级*，再点*仍然访问网站*。",
		}}
	}
	switch c.Browser {
	case Chrome:
		return []text{{
			"It is headed *Your connection is not private*. Choose *Advanced*, then *Proceed to {host} (unsafe)*.",
			"标题为*您的连接不是私密连接*。点*高级*，再点*继续前往{host}（不安全）*。",
		}}
	case Edge:
		return []text{{
			"It is headed *Your connection isn't private*. Choose *Advanced*, then *Continue to {host} (unsafe)*.",
			"标题为*你的连接不是专用连接*。点*高级*，再点*继续转到 {host}（不安全）*。",
		}}
	case SamsungNet:
		return []text{{
			"It is headed *Your connection is not private*. Choose *Advanced*, then *Proceed to {host} (unsafe)*.",
			"标题为*您的连接不是私密连接*。点*高级*，再点*继续访问 {host}（不安全）*。",
		}}
	case Firefox:
		return []text{{
			"It is headed *Warning: Potential Security Risk Ahead* (newer: *Be careful. Something doesn't look right.*). Choose *Advanced*, then *Accept the Risk and Continue* (newer: *Proceed to {host} (Risky)*).",
			"标题为*警告：面临潜在的安全风险*（新版：*请小心*）。点*高级*，再点*接受风险并继续*（新版：*继续前往 {host}（有风险）*）。",
		}}
	case Safari:
		warn := text{
			"It is headed *This Connection Is Not Private*. Choose *Show Details*, then *visit this website* at the very end, then *Visit Website*.",
			"标题为*此连接非私人连接*。点*显示详细信息*，再点最后的*访问此网站*，然后点*访问网站*。",
		}
		if c.Platform == MacOS {
			return []text{warn, {"The Mac asks for your password, to remember this.", "Mac 会要求输入密码以记住此选择。"}}
		}
		return []text{warn}
	}
	return []text{{
		"Look for *Advanced* or *Details*, then *Continue* or *Proceed*. If there is no way on, use Chrome, Edge or Firefox.",
		"找到*高级*或*详情*，再点*继续访问*。如果没有继续的选项，请换用 Chrome、Edge 或 Firefox。",
	}}
}

// quickLimits is what the quick start leaves out.
func quickLimits(c Client) text {
	if c.Platform == IOS {
		return text{
			"Everything but installing as an app works. iPhones and iPads then refuse one of the two ways of signalling; the page takes the other by itself. The warning may come again some days later.",
			"除“安装为应用”外都可用。此时 iPhone 和 iPad 会拒绝两种信令方式之一，页面会自动改用另一种。几天后可能再次出现警告。",
		}
	}
	return text{
		"Everything but installing as an app works. The warning may come again some days later.",
		"除“安装为应用”外都可用。几天后可能再次出现警告。",
	}
}

// leaveApp says how to get from an app's own browser to a real one.
func leaveApp(c Client) []text {
	var menu text
	switch c.App {
	case "WeChat", "WeCom", "QQ", "DingTalk", "Feishu", "Alipay", "Weibo", "TikTok", "Baidu":
		menu = text{"Tap *⋯* at the top right, then *Open in browser*.", "点右上角的*⋯*，选*在浏览器打开*（或*在默认浏览器中打开*）。"}
	case "Facebook", "Instagram", "LINE", "KakaoTalk", "Snapchat", "X", "Telegram":
		menu = text{"Open the menu (*⋯* or *⋮*) and choose *Open in browser* or *Open in external browser*.", "打开菜单（*⋯*或*⋮*），选*在浏览器中打开*或*在外部浏览器中打开*。"}
	default:
		menu = text{"Look for *Open in browser* in this app's menu.", "在本应用的菜单中找*在浏览器中打开*。"}
	}
	browser := text{"Or copy this address into Chrome, Edge or Firefox:", "或者把这个地址复制到 Chrome、Edge 或 Firefox："}
	if c.Platform == IOS {
		browser = text{"Or copy this address into Safari:", "或者把这个地址复制到 Safari："}
	}
	return []text{menu, browser}
}
