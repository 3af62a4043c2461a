package onboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
)

//go:embed page.html style.css start.js icon.svg
var files embed.FS

// Pages renders the start page.
type Pages struct {
	page     *template.Template
	detector *Detector
	marker   marker
	words    map[string]text
	style    template.CSS
	policy   string
	script   []byte
	icon     []byte
}

// New makes the pages ready.
func New() (*Pages, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	contents := map[string][]byte{}
	for _, name := range []string{"style.css", "start.js", "icon.svg"} {
		if contents[name], err = files.ReadFile(name); err != nil {
			return nil, fmt.Errorf("start page: %w", err)
		}
	}
	style := bytes.TrimSpace(contents["style.css"])
	hash := sha256.Sum256(style)
	return &Pages{
		page: page, detector: NewDetector(), marker: newMarker(), words: sentences(),
		style: template.CSS(style), script: contents["start.js"], icon: contents["icon.svg"],
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; script-src 'self'; " +
			"img-src 'self'; connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

// Policy is the page's Content-Security-Policy.
func (p *Pages) Policy() string { return p.policy }

// Script is what the page loads as /start.js. The page works without it.
func (p *Pages) Script() []byte { return p.script }

// Icon is the page's /favicon.svg.
func (p *Pages) Icon() []byte { return p.icon }

// view is what the template sees.
type view struct {
	T      func(string, ...string) template.HTML
	Lang   Language
	Other  link
	Style  template.CSS
	Client Client
	CA     *CA
	Hex    []string // in pieces that fit on a narrow screen
	Until  string
	Names  string

	SecureURL, StartURL, ProbeURL string
	Stay, APK                     bool

	Notice     string // a key of the words: the link was made for another server
	QuickTitle string
	QuickSteps []template.HTML
	QuickLimit template.HTML
	FullTitle  string
	FullSteps  []step
	AppName    string
	AppSteps   []template.HTML
	Mac        string // link to the iPad's steps
	Devices    []link
	Browsers   []link
	Makers     []link
}

type step struct {
	HTML template.HTML
	Loud bool
}

type link struct {
	Href, Name string
	Here       bool
}

// Page renders the start page for one request.
func (p *Pages) Page(r Request) ([]byte, error) {
	lang := languageOf(r.Language, r.Accept)
	c := p.clientOf(r)
	v := view{
		Lang: lang, Style: p.style, Client: c, CA: r.Site.CA, Stay: r.Stay || r.On != "", APK: r.APK && c.Platform == Android,
		SecureURL: r.SecureURL, StartURL: r.StartURL, ProbeURL: strings.TrimSuffix(r.SecureURL, "/") + "/trust",
		T: func(key string, with ...string) template.HTML { return p.word(key, lang, with...) },
	}
	if r.Language != "" {
		v.SecureURL += "?lang=" + string(lang)
	}
	if v.CA != nil {
		v.Hex, v.Until = pieces(v.CA.Fingerprint), v.CA.NotAfter.UTC().Format(time.DateOnly)
		v.Names = strings.Join(v.CA.Names, ", ")
		v.Notice = noticeOf(r.Link, *v.CA)
	}
	with := values{host: r.Host}
	if v.CA != nil {
		with.ca = v.CA.Name
	}
	p.addSteps(&v, c, lang, with)
	p.addLinks(&v, c, lang, r)
	var out bytes.Buffer
	if err := p.page.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	return out.Bytes(), nil
}

// clientOf is what the request tells of the client, corrected by what the person chose.
func (p *Pages) clientOf(r Request) Client {
	c := p.detector.Detect(r.Hints)
	if on := Platform(r.On); slices.Contains(Platforms(), on) {
		if on != c.Platform {
			c.Platform, c.Maker = on, UnknownMaker
			if !slices.Contains(browsersOn(on), c.Browser) {
				c.Browser = browsersOn(on)[0]
			}
		}
		c.App = ""
	}
	if with := Browser(r.With); slices.Contains(browsersOn(c.Platform), with) {
		c.Browser = with
	}
	if by := Maker(r.By); c.Platform == Android && slices.Contains(makers(), by) {
		c.Maker = by
	}
	return c
}

func makers() []Maker { return []Maker{Xiaomi, Huawei, Oppo, Vivo, Samsung} }

// noticeOf tells whether a scanned code was meant for this CA.
func noticeOf(linked string, ca CA) string {
	switch {
	case linked == "" || linked == ca.Fingerprint.Short():
		return ""
	case slices.ContainsFunc(ca.Earlier, func(f Fingerprint) bool { return f.Short() == linked }):
		return "renewed"
	}
	return "other"
}

// pieces are quarters of the fingerprint.
func pieces(f Fingerprint) []string {
	const quarter = len(f) / 4 * len("AB:")
	var out []string
	for text := f.Hex(); text != ""; {
		n := min(quarter, len(text))
		out, text = append(out, text[:n]), text[n:]
	}
	return out
}

// word returns a sentence; {} in it is replaced by with.
func (p *Pages) word(key string, lang Language, with ...string) template.HTML {
	s := string(p.marker.html(p.words[key], lang, values{}))
	for _, w := range with {
		s = strings.Replace(s, "{}", template.HTMLEscapeString(w), 1)
	}
	return template.HTML(s)
}

func (p *Pages) addSteps(v *view, c Client, lang Language, with values) {
	all := func(texts []text) (out []template.HTML) {
		for _, t := range texts {
			out = append(out, p.marker.html(t, lang, with))
		}
		return out
	}
	v.QuickTitle = browserName(c.Browser).in(lang)
	v.QuickSteps, v.QuickLimit = all(quick(c)), p.marker.html(quickLimits(c), lang, with)
	v.FullTitle = platformName(c.Platform).in(lang)
	if c.Maker != UnknownMaker {
		v.FullTitle += " · " + makerName(c.Maker).in(lang)
	}
	for _, t := range full(c) {
		v.FullSteps = append(v.FullSteps, step{p.marker.html(t, lang, with), t == secondSwitch()})
	}
	if c.App != "" {
		v.AppName, v.AppSteps = appName(c.App).in(lang), all(leaveApp(c))
	}
}

// addLinks makes the ways to other languages, devices and browsers.
func (p *Pages) addLinks(v *view, c Client, lang Language, r Request) {
	to := func(language Language, pairs ...string) string {
		q := url.Values{}
		if r.Language != "" || language != lang {
			q.Set("lang", string(language))
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				q.Set(pairs[i], pairs[i+1])
			}
		}
		if len(q) == 0 {
			return "/"
		}
		return "/?" + q.Encode()
	}
	chosen := []string{}
	if slices.Contains(Platforms(), Platform(r.On)) {
		chosen = []string{"on", string(c.Platform), "with", string(c.Browser), "by", string(c.Maker)}
	}
	if v.Notice != "" {
		chosen = append(chosen, "ca", r.Link)
	}
	if lang == English {
		v.Other = link{Href: to(Chinese, chosen...), Name: "中文"}
	} else {
		v.Other = link{Href: to(English, chosen...), Name: "English"}
	}
	v.Mac = to(lang, "on", string(IOS))
	for _, platform := range Platforms() {
		v.Devices = append(v.Devices, link{to(lang, "on", string(platform)), platformName(platform).in(lang), platform == c.Platform})
	}
	for _, browser := range browsersOn(c.Platform) {
		if c.Platform != "" {
			v.Browsers = append(v.Browsers, link{to(lang, "on", string(c.Platform), "with", string(browser), "by", string(c.Maker)), browserName(browser).in(lang), browser == c.Browser})
		}
	}
	if c.Platform == Android {
		for _, maker := range makers() {
			v.Makers = append(v.Makers, link{to(lang, "on", string(Android), "with", string(c.Browser), "by", string(maker)), makerName(maker).in(lang), maker == c.Maker})
		}
	}
}
