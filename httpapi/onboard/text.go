package onboard

import (
	"html/template"
	"regexp"
	"strings"
)

// Language is one that the page speaks.
type Language string

// The languages of the page.
const (
	English Language = "en"
	Chinese Language = "zh-CN"
)

// languageOf chooses by what the person chose, else by what the browser prefers.
func languageOf(chosen, accept string) Language {
	wanted := chosen
	if wanted == "" {
		wanted, _, _ = strings.Cut(accept, ",")
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(wanted)), "zh") {
		return Chinese
	}
	return English
}

// text is a sentence in both languages, side by side so that neither is forgotten. In it,
// *x* is what the person reads on the screen, ‹x› is what they type, [x](/y) is a link,
// {host} is the address by which they came, and {ca} the name of the certificate.
type text struct{ en, zh string }

func (t text) in(l Language) string {
	if l == Chinese {
		return t.zh
	}
	return t.en
}

// marker turns sentences into HTML.
type marker struct{ link, screen, typed *regexp.Regexp }

func newMarker() marker {
	return marker{
		link:   regexp.MustCompile(`\[([^\]]+)\]\((/[a-z.?=1/-]*)\)`),
		screen: regexp.MustCompile(`\*([^*]+)\*`),
		typed:  regexp.MustCompile(`‹([^›]+)›`),
	}
}

// values are what a sentence is filled with.
type values struct{ host, ca string }

// html returns the sentence marked up; nothing in it can be more than a sentence.
func (m marker) html(t text, l Language, v values) template.HTML {
	s := template.HTMLEscapeString(t.in(l))
	s = m.link.ReplaceAllString(s, `<a class="get" href="$2">$1</a>`)
	s = m.screen.ReplaceAllString(s, `<b>$1</b>`)
	s = m.typed.ReplaceAllString(s, `<kbd>$1</kbd>`)
	fill := strings.NewReplacer("{host}", template.HTMLEscapeString(v.host), "{ca}", template.HTMLEscapeString(v.ca))
	return template.HTML(fill.Replace(s))
}
