package onboard

// full returns how to install the CA on a client, after the fingerprint was compared.
func full(c Client) []text {
	var steps []text
	switch c.Platform {
	case Android:
		steps = android(c)
	case Harmony:
		steps = harmony()
	case IOS:
		steps = ios(c)
	case Windows:
		steps = windows()
	case MacOS:
		steps = macOS()
	case ChromeOS:
		steps = chromeOS()
	case Linux:
		steps = linux()
	}
	if c.Browser == Firefox && (c.Platform == Windows || c.Platform == MacOS || c.Platform == Linux || c.Platform == "") {
		steps = firefoxDesktop()
	}
	return append(steps, text{
		"Come back to this page. It sees by itself that the device trusts this site, and goes on to the phone.",
		"回到本页面。它会自动发现设备已信任本站，并打开电话。",
	})
}

func android(c Client) []text {
	steps := []text{
		{"[Download the certificate](/fieldphone-ca.crt). If Android asks, keep the file.", "[下载证书](/fieldphone-ca.crt)。如果系统询问，请选择保留文件。"},
		androidPath(c.Maker),
		{"Choose *CA certificate*, *Install anyway*, confirm with your PIN or fingerprint, and pick *fieldphone-ca.crt* among the downloads.", "选*CA 证书*，点*仍然安装*，用密码或指纹确认，在“下载”里选 *fieldphone-ca.crt*。"},
	}
	if c.Browser == Firefox {
		steps = append(steps,
			text{"Firefox wants a switch of its own: *⋮* › *Settings* › *About Firefox*, tap the logo five times.", "Firefox 还要单独打开一个开关：*⋮* › *设置* › *关于 Firefox*，连点徽标五次。"},
			text{"Go back one step, open *Secret Settings*, switch on *Use third party CA certificates*, and restart Firefox.", "返回上一级，打开 *Secret Settings*，启用*使用第三方 CA 证书*（Use third party CA certificates），然后重启 Firefox。"},
		)
	}
	return steps
}

// androidPath is the way to the certificates in the settings of each maker.
func androidPath(m Maker) text {
	switch m {
	case Xiaomi:
		return text{
			"Open *Settings* › *Passwords & security* (HyperOS: *Fingerprints, face data, and screen lock*) › *Privacy* › *Encryption & credentials* › *Install a certificate*.",
			"打开*设置* › *密码与安全*（澎湃 OS：*指纹、面部与密码*）› *隐私*（或*系统安全*）› *加密与凭据* › *安装证书*。",
		}
	case Huawei:
		return text{
			"Open *Settings* › *Security* (or *Security & privacy*) › *More settings* › *Encryption & credentials* › *Install from storage*.",
			"打开*设置* › *安全*（或*安全和隐私*）› *更多安全设置* › *加密和凭据* › *从存储设备安装*。",
		}
	case Oppo:
		return text{
			"Open *Settings* › *Security & privacy* (older: *Password & security* › *System security*) › *More security & privacy* › *Encryption & credentials* › *Install a certificate*.",
			"打开*设置* › *安全与隐私*（旧版：*密码与安全* › *系统安全*）› *更多安全与隐私* › *加密与凭据*（或*凭据存储*）› *安装证书*。",
		}
	case Vivo:
		return text{
			"Open *Settings* › *Security & privacy* (older: *Security*) › *More security settings* › *Encryption & credentials* › *Install a certificate*.",
			"打开*设置* › *安全与隐私*（旧版：*安全*）› *更多安全设置* › *加密与凭据* › *安装证书*（或*从存储设备安装*）。",
		}
	case Samsung:
		return text{
			"Open *Settings* › *Security and privacy* › *More security settings* (older: *Biometrics and security* › *Other security settings*) › *Install from phone storage*.",
			"打开*设置* › *安全和隐私* › *更多安全设置*（旧版：*生物识别和安全性* › *其他安全设置*）› *从手机存储安装*。",
		}
	}
	return text{
		"Open *Settings* › *Security & privacy* › *More security & privacy* › *Encryption & credentials* › *Install a certificate*. Or search the settings for ‹certificate›.",
		"打开*设置* › *安全和隐私* › *更多安全和隐私设置* › *加密与凭据* › *安装证书*。也可在设置里搜索‹证书›。",
	}
}

func harmony() []text {
	return []text{
		{"[Download the certificate](/fieldphone-ca.crt).", "[下载证书](/fieldphone-ca.crt)。"},
		{"Open *Settings* › *Privacy & security* › *Advanced* › *Certificates and credentials* › *Install from storage*. Or search the settings for ‹certificate›.", "打开*设置* › *隐私和安全* › *高级* › *证书与凭据* › *从存储设备安装*。也可在设置里搜索‹证书›。"},
		{"Choose *CA certificate*, confirm with your password, and pick *fieldphone-ca.crt*.", "选*CA 证书*，用锁屏密码确认，选 *fieldphone-ca.crt*。"},
	}
}

func ios(c Client) []text {
	var steps []text
	if c.Browser != Safari {
		steps = append(steps, text{"Open this page in *Safari*: only Safari can install profiles.", "请用 *Safari* 打开本页面：只有 Safari 能安装描述文件。"})
	}
	return append(steps,
		text{"[Get the profile](/fieldphone-ca.mobileconfig) and tap *Allow*.", "[下载描述文件](/fieldphone-ca.mobileconfig)，点*允许*。"},
		text{"Open *Settings*. At the top is *Profile Downloaded* (else: *General* › *VPN & Device Management*). Tap *Install*, enter your passcode, tap *Install* again.", "打开*设置*，顶部有*已下载描述文件*（否则：*通用* › *VPN与设备管理*）。点*安装*，输入密码，再点*安装*。"},
		secondSwitch(),
	)
}

// secondSwitch is what most people miss; the page says it loudly.
func secondSwitch() text {
	return text{
		"Not done yet! Open *Settings* › *General* › *About* › *Certificate Trust Settings* (at the very end) and switch on *{ca}*.",
		"还没完！打开*设置* › *通用* › *关于本机* › *证书信任设置*（在最底部），打开 *{ca}* 的开关。",
	}
}

func windows() []text {
	return []text{
		{"[Download the certificate](/fieldphone-ca.crt) and open the file.", "[下载证书](/fieldphone-ca.crt)并打开文件。"},
		{"Click *Install Certificate…*, *Current User*, *Next*.", "点*安装证书…*，选*当前用户*，点*下一步*。"},
		{"Choose *Place all certificates in the following store*, *Browse…*, *Trusted Root Certification Authorities*, *OK*, *Next*, *Finish*, and *Yes*.", "选*将所有的证书都放入下列存储*，点*浏览…*，选*受信任的根证书颁发机构*，依次点*确定*、*下一步*、*完成*、*是*。"},
		{"Close the browser fully and open it again.", "完全关闭浏览器后重新打开。"},
	}
}

func macOS() []text {
	return []text{
		{"[Download the certificate](/fieldphone-ca.crt) and open the file. Keychain Access adds it to *login*.", "[下载证书](/fieldphone-ca.crt)并打开文件，“钥匙串访问”会把它加入*登录*。"},
		{"In Keychain Access, double-click *{ca}*, open *Trust*, and set *When using this certificate* to *Always Trust*.", "在“钥匙串访问”中双击 *{ca}*，展开*信任*，把*使用此证书时*设为*始终信任*。"},
		{"Close the window and enter your password.", "关闭窗口并输入密码。"},
	}
}

func chromeOS() []text {
	return []text{
		{"[Download the certificate](/fieldphone-ca.crt).", "[下载证书](/fieldphone-ca.crt)。"},
		{"Open *Settings* › *Privacy and security* › *Manage certificates* (older: *Security* › *Manage certificates* › *Authorities*).", "打开*设置* › *隐私和安全* › *管理证书*（旧版：*安全* › *管理证书* › *授权机构*）。"},
		{"Choose *Import*, pick *fieldphone-ca.crt*, and tick *Trust this certificate for identifying websites*.", "点*导入*，选 *fieldphone-ca.crt*，勾选*信任该证书，以标识网站身份*。"},
	}
}

func linux() []text {
	return []text{
		{"[Download the certificate](/fieldphone-ca.crt).", "[下载证书](/fieldphone-ca.crt)。"},
		{"Type ‹chrome://certificate-manager› into the address bar, open *Custom* › *Installed by you*, and *Import* it under *Trusted Certificates*. Older versions: ‹chrome://settings/certificates› › *Authorities* › *Import*, tick *Trust this certificate for identifying websites*.", "在地址栏输入 ‹chrome://certificate-manager›，打开*自定义* › *由您安装*，在*受信任的证书*处*导入*。旧版：‹chrome://settings/certificates› › *授权机构* › *导入*，勾选*信任该证书，以标识网站身份*。"},
		{"Or in a terminal: ‹certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Fieldphone -i fieldphone-ca.crt›", "或者在终端中运行：‹certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Fieldphone -i fieldphone-ca.crt›"},
	}
}

func firefoxDesktop() []text {
	return []text{
		{"[Open the certificate](/fieldphone-ca.crt?open=1). If Firefox asks, tick *Trust this CA to identify websites*, and *OK*.", "[打开证书](/fieldphone-ca.crt?open=1)。如果 Firefox 询问，勾选*信任由此证书颁发机构来标识网站*，点*确定*。"},
		{"If it only saves the file: *Settings* › *Privacy & Security* › *View Certificates…* › *Authorities* › *Import…*, pick the file, and tick the same.", "如果只是保存了文件：*设置* › *隐私与安全* › *查看证书…* › *证书颁发机构* › *导入…*，选该文件并同样勾选。"},
	}
}
