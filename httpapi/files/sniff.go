package files

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// shownAs gives the media type under which a browser may show content in place:
// pictures, sound and video that are what their sender says, by their first
// bytes. Empty for everything else, above all for what can carry scripts: HTML,
// SVG, XML, PDF.
func shownAs(declared string, head []byte) string {
	declared, _, err := mime.ParseMediaType(declared)
	if err != nil {
		return ""
	}
	for _, kind := range shownKinds() {
		if slices.Contains(kind.types, declared) && kind.is(head) {
			return declared
		}
	}
	return ""
}

type shownKind struct {
	types []string
	is    func(head []byte) bool
}

func shownKinds() []shownKind {
	return []shownKind{
		{[]string{"image/png"}, sniffed("image/png")},
		{[]string{"image/jpeg"}, sniffed("image/jpeg")},
		{[]string{"image/gif"}, sniffed("image/gif")},
		{[]string{"image/webp"}, sniffed("image/webp")},
		{[]string{"image/avif"}, func(h []byte) bool { return brand(h) == "avif" || brand(h) == "avis" }},
		{[]string{"audio/webm", "video/webm", "video/x-matroska"}, sniffed("video/webm")},
		{[]string{"audio/ogg", "video/ogg"}, sniffed("application/ogg")},
		{[]string{"audio/mp4", "video/mp4", "audio/x-m4a", "video/quicktime"}, isMP4},
		{[]string{"audio/mpeg", "audio/mp3"}, isMP3},
		{[]string{"audio/aac"}, func(h []byte) bool { return len(h) > 1 && h[0] == 0xff && h[1]&0xf6 == 0xf0 }},
		{[]string{"audio/wav", "audio/wave", "audio/x-wav"}, sniffed("audio/wave")},
		{[]string{"audio/flac"}, func(h []byte) bool { return bytes.HasPrefix(h, []byte("fLaC")) }},
	}
}

func sniffed(as string) func([]byte) bool {
	return func(head []byte) bool { return http.DetectContentType(head) == as }
}

// brand is the major brand of an ISO base media file (ISO/IEC 14496-12).
func brand(head []byte) string {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return ""
	}
	return string(head[8:12])
}

// isMP4 leaves out the brands of still pictures, some of which are not shown.
func isMP4(head []byte) bool {
	b := brand(head)
	return b != "" && !strings.HasPrefix(b, "avi") && !strings.HasPrefix(b, "hei") && !strings.HasPrefix(b, "mif") && !strings.HasPrefix(b, "msf")
}

// isMP3 knows an ID3 tag or a frame of layer III (ISO/IEC 11172-3).
func isMP3(head []byte) bool {
	return bytes.HasPrefix(head, []byte("ID3")) || len(head) > 1 && head[0] == 0xff && head[1]&0xe6 == 0xe2
}
