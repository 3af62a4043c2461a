package desktop

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// system is a computer with these programs in PATH and these files.
func system(os string, env map[string]string, path, files []string) System {
	return System{
		OS: os, Home: "/home/ana",
		Env: func(name string) string { return env[name] },
		LookPath: func(program string) (string, error) {
			for _, p := range path {
				if p == program || strings.HasSuffix(p, "/"+program) {
					return p, nil
				}
			}
			return "", exec.ErrNotFound
		},
		IsFile:  func(f string) bool { return slices.Contains(files, f) },
		AppPath: func(program string) string { return env["registry "+program] },
	}
}

func TestFindBrowser(t *testing.T) {
	windows := map[string]string{"ProgramFiles": `C:\Program Files`, "ProgramFiles(x86)": `C:\Program Files (x86)`, "LocalAppData": `C:\Users\ana\AppData\Local`}
	const edge = `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`
	const own = `C:\Users\ana\AppData\Local\Google\Chrome\Application\chrome.exe`
	for _, tt := range []struct {
		name   string
		system System
		want   string // the start of the command
		dir    string
	}{
		{"Windows has Edge", system("windows", windows, nil, []string{edge}), edge, `D:\p`},
		{"Windows, Chrome of one user", system("windows", windows, nil, []string{edge, own}), own, `D:\p`},
		{"Windows' registry", system("windows", map[string]string{"registry chrome.exe": `D:\c\chrome.exe`}, nil, []string{`D:\c\chrome.exe`}), `D:\c\chrome.exe`, `D:\p`},
		{"Windows' registry is out of date", system("windows", map[string]string{"registry chrome.exe": `D:\c\chrome.exe`, "ProgramFiles(x86)": `C:\Program Files (x86)`}, nil, []string{edge}), edge, `D:\p`},
		{"macOS", system("darwin", nil, nil, []string{"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"}), "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge", "/p"},
		{"macOS, of one user", system("darwin", nil, nil, []string{"/home/ana/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}), "/home/ana/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/p"},
		{"Debian", system("linux", nil, []string{"/usr/bin/chromium"}, nil), "/usr/bin/chromium", "/p"},
		{"Chrome before Chromium", system("linux", nil, []string{"/usr/bin/chromium", "/usr/bin/google-chrome"}, nil), "/usr/bin/google-chrome", "/p"},
		{"a snap", system("linux", nil, []string{"/snap/bin/chromium"}, nil), "/snap/bin/chromium", "/home/ana/snap/chromium/common/fieldphone"},
		{"Ubuntu's door to a snap", system("linux", nil, []string{"/usr/bin/chromium-browser"}, []string{"/snap/bin/chromium"}), "/usr/bin/chromium-browser", "/home/ana/snap/chromium/common/fieldphone"},
		{"Flatpak", system("linux", nil, []string{"/usr/bin/flatpak"}, []string{"/home/ana/.local/share/flatpak/exports/bin/org.chromium.Chromium"}), "/usr/bin/flatpak run --filesystem=/p/window-", "/p"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := FindBrowser(tt.system)
			if err != nil {
				t.Fatal(err)
			}
			target, err := ParseTarget("https://10.0.0.1:8443/")
			if err != nil {
				t.Fatal(err)
			}
			args, dir := Window{Browser: b, Target: target, Pin: "cGlu", Dir: map[bool]string{true: `D:\p`, false: "/p"}[tt.system.OS == "windows"]}.args()
			line := b.Command[0] + " " + strings.Join(args, " ")
			if !strings.HasPrefix(line, tt.want) || !strings.HasPrefix(dir, tt.dir) || !strings.Contains(line, " --app=https://10.0.0.1:8443/ --user-data-dir="+dir+" ") || !strings.Contains(line, " --ignore-certificate-errors-spki-list=cGlu") {
				t.Errorf("%s\nprofile %s", line, dir)
			}
		})
	}
	for _, os := range []string{"windows", "darwin", "linux"} {
		if _, err := FindBrowser(system(os, nil, []string{"/usr/bin/firefox", "/usr/bin/flatpak"}, nil)); !errors.Is(err, ErrNoBrowser) {
			t.Errorf("%s without a browser: %v", os, err)
		}
	}
}

func TestAProfileForEachSiteAndKey(t *testing.T) {
	seen := map[string]bool{}
	for _, site := range []string{"a:8443", "b:8443"} {
		for _, pin := range []string{"one", "two", ""} {
			seen[profile("/p", site, pin)] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d profiles: %v", len(seen), seen)
	}
}
