package httpapi

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"net/url"
	"os"
	"strings"

	"fieldphone/httpapi/onboard"

	"github.com/gofiber/fiber/v2"
	"rsc.io/qr"
)

//go:embed apk.html
var apkPage string

// apkPolicy lets the app's page be styled, and do nothing.
const apkPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// PairURL is the link that makes the Android app trust the site at pageURL, and it
// alone: by the fingerprint of its CA (deploy/android/README.md).
func PairURL(pageURL string, ca onboard.Fingerprint) string {
	return fmt.Sprintf("fieldphone://pair?url=%s&ca=%X", url.QueryEscape(pageURL), ca[:])
}

// apkRoutes serves the Android app's package, while it is there, and the page that helps
// to install it and to pair it with this site.
func apkRoutes(f *fiber.App, cfg StartConfig) error {
	page, err := template.New("apk").Parse(apkPage)
	if err != nil {
		return fmt.Errorf("page of the Android app: %w", err)
	}
	f.Get("/app.apk", func(c *fiber.Ctx) error { return sendAPK(c, cfg.APK) })
	f.Get("/app", func(c *fiber.Ctx) error { return sendAPKPage(c, cfg, page) })
	return nil
}

func hasAPK(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

func sendAPK(c *fiber.Ctx, path string) error {
	if !hasAPK(path) {
		return fiber.ErrNotFound
	}
	// It is compressed already, and a download that is resumed needs the bytes as they are.
	c.Request().Header.Del("Accept-Encoding")
	if err := c.SendFile(path); err != nil {
		return err
	}
	c.Set("Content-Type", "application/vnd.android.package-archive")
	c.Set("Content-Disposition", `attachment; filename="fieldphone.apk"`)
	return nil
}

func sendAPKPage(c *fiber.Ctx, cfg StartConfig, page *template.Template) error {
	ca := cfg.Site().CA
	if ca == nil {
		return c.Redirect("/") // the app trusts a CA, and there is none of this site's
	}
	host, _ := hostOf(c)
	link := PairURL(HTTPSURL(host, cfg.HTTPSPort), ca.Fingerprint)
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return fmt.Errorf("QR code of the pairing link: %w", err)
	}
	lang := c.Query("lang", c.Get("Accept-Language"))
	var out bytes.Buffer
	err = page.Execute(&out, fiber.Map{
		"Chinese": strings.HasPrefix(strings.ToLower(lang), "zh"), "APK": hasAPK(cfg.APK), "URL": HTTPSURL(host, cfg.HTTPSPort),
		"Pair": template.URL(link), "Fingerprint": ca.Fingerprint.HexLines(), "Box": code.Size + 8, "Code": modules(code),
	})
	if err != nil {
		return err
	}
	c.Set("Content-Security-Policy", apkPolicy)
	return c.Type("html", "utf-8").Send(out.Bytes())
}

// modules draws the dark squares of a QR code as an SVG path, one unit each.
func modules(code *qr.Code) string {
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return path.String()
}
