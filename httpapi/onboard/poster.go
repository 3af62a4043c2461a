package onboard

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"
)

// Paper is a size of paper in millimetres.
type Paper struct{ Width, Height float64 }

// A4 is the paper of ISO 216, Letter that of North America.
func A4() Paper { return Paper{210, 297} }

// Letter is the paper of North America.
func Letter() Paper { return Paper{215.9, 279.4} }

// Poster is what to print.
type Poster struct {
	// URL is what the code holds and people can type: that of the start page, by an IP
	// address. A bare phone must not meet a warning that nobody has explained; where the
	// site is trusted already, the page goes on by itself.
	URL  string
	WiFi *WiFi // nil: people know how to join the network
	CA   *CA   // nil: there is nothing to compare
	Paper
}

// posterTexts are the steps, with and without a code for the Wi-Fi.
func posterSteps(p Poster) []text {
	join := text{"Join this network: the same Wi-Fi, or a cable.", "连接本网络：同一 Wi-Fi 或网线。"}
	scan := text{"Scan the code with the camera, or type the address below it into a browser.", "用相机扫描二维码，或在浏览器中输入下面的地址。"}
	if p.WiFi != nil {
		join = text{"Join the Wi-Fi: scan the left code, or choose it in the settings.", "连接 Wi-Fi：扫描左边的二维码，或在设置中选择它。"}
		scan = text{"Scan the right code, or type the address below it into a browser.", "扫描右边的二维码，或在浏览器中输入下面的地址。"}
	}
	follow := text{
		"Follow the page: go past the browser's warning once, or install the certificate. First compare its numbers with these.",
		"按页面提示操作：接受一次浏览器警告；或安装证书，安装前先核对下面的数字。",
	}
	if p.CA == nil {
		follow = text{"Tap “Open Fieldphone”, create an account, and call.", "点“打开 Fieldphone”，注册账号，即可通话。"}
	}
	return []text{join, scan, follow}
}

// Write writes the poster as one page of SVG, which browsers open, scale and print.
func (p Poster) Write(w io.Writer) error {
	if p.Paper == (Paper{}) {
		p.Paper = A4()
	}
	if p.WiFi != nil {
		if err := p.WiFi.Check(); err != nil {
			return err
		}
	}
	d := drawing{width: p.Width}
	const margin = 16
	d.printf(`<rect width="%g" height="%g" fill="#fff"/>`, p.Width, p.Height)
	d.printf(`<g transform="translate(%d 17) scale(.55)"><rect width="32" height="32" rx="9" fill="#0b6e5f"/><path d="M12.5 16a5 5 0 0 1 7 0M8.6 12.2a10.5 10.5 0 0 1 14.8 0" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/><circle cx="16" cy="20.6" r="2.4" fill="#fff"/></g>`, margin)
	d.text(margin+22, 30, 13, "start", "bold", "Fieldphone")
	d.text(margin, 45, 5.2, "start", "normal", "The telephone of this network. It needs no internet.")
	d.text(margin, 53, 5.2, "start", "normal", "本地网络的电话，不需要互联网。")
	if err := p.codes(&d, margin); err != nil {
		return err
	}
	p.steps(&d, margin, stepsTop)
	p.compare(&d, margin, p.Height-bottomMargin-compareHeight)
	return d.close(w, p.Paper)
}

// codes draws the QR codes: one in the middle, or that of the Wi-Fi on the left.
func (p Poster) codes(d *drawing, margin float64) error {
	const top, size, alone = 54, 76, 84
	if p.WiFi == nil {
		x := (p.Width - alone) / 2
		if err := d.code(p.URL, x, top, alone); err != nil {
			return err
		}
		d.fit(p.Width/2, top+alone+8, 7, p.Width-2*margin, "bold", shown(p.URL))
		return nil
	}
	right := p.Width - margin - size
	if err := d.code(p.WiFi.Code(), margin, top, size); err != nil {
		return err
	}
	if err := d.code(p.URL, right, top, size); err != nil {
		return err
	}
	d.fit(margin+size/2, top+size+8, 6, size, "bold", "Wi-Fi: "+p.WiFi.SSID)
	if p.WiFi.Password != "" {
		d.fit(margin+size/2, top+size+16, 5, size, "normal", "Password 密码: "+p.WiFi.Password)
	}
	d.fit(right+size/2, top+size+8, 6, size, "bold", shown(p.URL))
	return nil
}

// shown is a URL as people type it.
func shown(url string) string {
	short, _, _ := strings.Cut(url, "?")
	return short
}

// Where the steps begin, how much room the fingerprint takes, and what is below it, in millimetres.
const (
	stepsTop      = 157
	compareHeight = 38
	bottomMargin  = 12
)

func (p Poster) steps(d *drawing, margin, top float64) (below float64) {
	const size, leading, gap = 4.6, 6.2, 8
	x, column := margin, (p.Width-2*margin-gap)/2
	for _, lang := range []Language{English, Chinese} {
		y := top
		for n, step := range posterSteps(p) {
			d.printf(`<circle cx="%g" cy="%g" r="3.6" fill="#0b6e5f"/>`, x+3.6, y-1.6)
			d.colour = "#fff"
			d.text(x+3.6, y, size, "middle", "bold", fmt.Sprint(n+1))
			d.colour = ""
			for _, line := range wrap(step.in(lang), column-11, size) {
				d.text(x+11, y, size, "start", "normal", line)
				y += leading
			}
			y += 2.6
		}
		below, x = max(below, y), x+column+gap
	}
	return below
}

// compare draws what people compare before they trust the CA.
func (p Poster) compare(d *drawing, margin, y float64) {
	if p.CA == nil {
		return
	}
	d.printf(`<rect x="%g" y="%g" width="%g" height="%d" rx="4" fill="#eef3f1"/>`, margin, y, p.Width-2*margin, compareHeight)
	middle := p.Width / 2
	d.text(middle, y+8, 4.2, "middle", "normal", "Compare before you install the certificate · 安装证书前请核对")
	d.mono(middle, y+18, 7.4, p.CA.Fingerprint.Digits())
	lines := p.CA.Fingerprint.HexLines()
	d.mono(middle, y+27, 3.4, "SHA-256 "+lines[0])
	d.mono(middle, y+32.5, 3.4, "        "+lines[1])
}

// drawing collects an SVG.
type drawing struct {
	bytes.Buffer
	width  float64
	colour string
}

const (
	sans = `system-ui, 'Segoe UI', Roboto, 'PingFang SC', 'Noto Sans SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif`
	mono = `ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace`
)

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) text(x, y, size float64, anchor, weight, s string) {
	d.printf(`<text x="%g" y="%g" font-size="%g" font-family="%s" text-anchor="%s" font-weight="%s" fill="%s">%s</text>`,
		x, y, size, sans, anchor, weight, d.ink(), escape(s))
}

// fit draws a centred line, smaller if it is too long for width.
func (d *drawing) fit(x, y, size, width float64, weight, s string) {
	if long := measure(s, size); long > width {
		size *= width / long
	}
	d.text(x, y, size, "middle", weight, s)
}

func (d *drawing) mono(x, y, size float64, s string) {
	d.printf(`<text x="%g" y="%g" font-size="%g" font-family="%s" text-anchor="middle" fill="%s" xml:space="preserve">%s</text>`, x, y, size, mono, d.ink(), escape(s))
}

func (d *drawing) ink() string {
	if d.colour != "" {
		return d.colour
	}
	return "#17211d"
}

// code draws a QR code (ISO/IEC 18004) with its quiet zone of four modules.
func (d *drawing) code(text string, x, y, size float64) error {
	const quiet = 4
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	var path strings.Builder
	for row := range code.Size {
		for col := 0; col < code.Size; col++ {
			run := 0
			for col+run < code.Size && code.Black(col+run, row) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", col, row, run, run)
			}
			col += run
		}
	}
	module := size / float64(code.Size+2*quiet)
	d.printf(`<g transform="translate(%g %g) scale(%g)"><path d="%s" fill="#000" shape-rendering="crispEdges"/></g>`,
		x+quiet*module, y+quiet*module, module, path.String())
	return nil
}

func (d *drawing) close(w io.Writer, paper Paper) error {
	_, err := fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 %g %g">
<title>Fieldphone</title>
<style>@page{size:%gmm %gmm;margin:0}</style>
%s</svg>
`, paper.Width, paper.Height, paper.Width, paper.Height, paper.Width, paper.Height, d.String())
	return err
}

func escape(s string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(s)) // a buffer takes everything
	return out.String()
}

// measure estimates the width of a line: what prints it may have other fonts.
func measure(s string, size float64) float64 {
	const narrow, wide, firstWide = 0.53, 1.0, 0x2e80
	width := 0.0
	for _, r := range s {
		if r >= firstWide {
			width += wide
		} else {
			width += narrow
		}
	}
	return width * size
}

// wrap breaks a sentence into lines: at spaces, and between Chinese characters, but not
// before their punctuation.
func wrap(s string, width, size float64) (lines []string) {
	const firstWide, closing = 0x2e80, "，。：；、”）"
	line := ""
	for s != "" {
		n := len(s)
		for i, r := range s {
			next := s[i+len(string(r)):]
			if r == ' ' || r >= firstWide && !strings.ContainsRune(closing, []rune(next + " ")[0]) {
				n = i + len(string(r))
				break
			}
		}
		piece := s[:n]
		s = s[n:]
		if line != "" && measure(strings.TrimRight(line+piece, " "), size) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += piece
	}
	return append(lines, strings.TrimRight(line, " "))
}
