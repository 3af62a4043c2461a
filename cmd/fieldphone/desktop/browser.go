package desktop

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Browser is an installed browser that knows app windows and pinned keys.
type Browser struct {
	Name    string
	Command []string // program and first arguments
	// Profiles is the only folder that the browser can write its profile to; empty: any.
	Profiles string
	flatpak  bool
}

// System is what finding a browser looks at.
type System struct {
	OS       string // as runtime.GOOS
	Home     string
	Env      func(string) string
	LookPath func(string) (string, error)
	IsFile   func(string) bool
	// AppPath returns where Windows' registry has a program; empty if it does not.
	AppPath func(program string) string
}

// ErrNoBrowser is a computer without a browser that can do it.
var ErrNoBrowser = errors.New("no Chrome, Edge or Chromium was found on this computer; install one, or name it with --browser; or open the page in any browser after installing the site's CA (the server's http address helps)")

// FindBrowser returns the first installed browser: Chrome, then Edge, then Chromium.
func FindBrowser(s System) (Browser, error) {
	var found []Browser
	switch s.OS {
	case "windows":
		found = windowsBrowsers(s)
	case "darwin":
		found = macBrowsers(s)
	default:
		found = unixBrowsers(s)
	}
	if len(found) == 0 {
		return Browser{}, ErrNoBrowser
	}
	return found[0], nil
}

// NamedBrowser is the one that the person chose.
func NamedBrowser(s System, program string) (Browser, error) {
	path, err := s.LookPath(program)
	if err != nil {
		return Browser{}, fmt.Errorf("the browser %q cannot be started: %w", program, err)
	}
	return confine(s, Browser{Name: program, Command: []string{path}}), nil
}

func windowsBrowsers(s System) (found []Browser) {
	for _, b := range []struct{ name, program, path string }{
		{"Google Chrome", "chrome.exe", `\Google\Chrome\Application\chrome.exe`},
		{"Microsoft Edge", "msedge.exe", `\Microsoft\Edge\Application\msedge.exe`},
		{"Chromium", "chromium.exe", `\Chromium\Application\chrome.exe`},
	} {
		paths := []string{s.AppPath(b.program)}
		for _, variable := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
			if root := s.Env(variable); root != "" {
				paths = append(paths, strings.TrimSuffix(root, `\`)+b.path)
			}
		}
		for _, path := range paths {
			if path != "" && s.IsFile(path) {
				found = append(found, Browser{Name: b.name, Command: []string{path}})
				break
			}
		}
	}
	return found
}

func macBrowsers(s System) (found []Browser) {
	for _, name := range []string{"Google Chrome", "Microsoft Edge", "Chromium"} {
		for _, folder := range []string{"/Applications", filepath.Join(s.Home, "Applications")} {
			path := filepath.Join(folder, name+".app", "Contents", "MacOS", name)
			if s.IsFile(path) {
				found = append(found, Browser{Name: name, Command: []string{path}})
				break
			}
		}
	}
	return found
}

func unixBrowsers(s System) (found []Browser) {
	for _, program := range []string{
		"google-chrome-stable", "google-chrome", "microsoft-edge-stable", "microsoft-edge", "chromium", "chromium-browser",
	} {
		if path, err := s.LookPath(program); err == nil {
			found = append(found, confine(s, Browser{Name: program, Command: []string{path}}))
		}
	}
	flatpak, err := s.LookPath("flatpak")
	if err != nil {
		return found
	}
	for _, id := range []string{"com.google.Chrome", "com.microsoft.Edge", "org.chromium.Chromium"} {
		for _, root := range []string{"/var/lib/flatpak", filepath.Join(s.Home, ".local/share/flatpak")} {
			if s.IsFile(filepath.Join(root, "exports/bin", id)) {
				found = append(found, Browser{Name: id + " (Flatpak)", Command: []string{flatpak, "run", id}, flatpak: true})
				break
			}
		}
	}
	return found
}

// confine marks a browser out of a snap: it may write only below its own folder.
func confine(s System, b Browser) Browser {
	ubuntu := filepath.Base(b.Command[0]) == "chromium-browser" && s.IsFile("/snap/bin/chromium")
	if strings.HasPrefix(b.Command[0], "/snap/bin/") || ubuntu {
		snap := "chromium"
		if !ubuntu {
			snap = filepath.Base(b.Command[0])
		}
		b.Profiles = filepath.Join(s.Home, "snap", snap, "common", "fieldphone")
	}
	return b
}
