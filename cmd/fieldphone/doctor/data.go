package doctor

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/host"
)

const (
	secretBytes = 32
	diskFew     = 1 << 30   // bytes free: soon a problem
	diskNone    = 100 << 20 // bytes free: the database stops any moment
	futureBy    = 5 * time.Minute
)

// data looks at the folder of everything that lasts.
func (e *exam) data(context.Context) {
	dir := absolute(e.Config.Data)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.newFolder(dir)
		return
	case err != nil:
		e.fail("folder", "Run the doctor as the user of the server, or as root.", "%v", err)
		return
	case !info.IsDir():
		e.fail("folder", "Move it away, or set data to a folder.", "%s is no folder", dir)
		return
	}
	if err := writable(dir); err != nil {
		e.fail("folder", "Give the server's user the folder: chown -R USER "+dir+". If this is not that user, run the doctor as root.", "%v", err)
	} else {
		e.ok("folder", "%s can be written", dir)
	}
	if others := info.Mode().Perm() & 0o077; others != 0 && runtime.GOOS != "windows" {
		e.warn("rights", "chmod 700 "+dir, "other users of this machine can look into it (mode %04o)", info.Mode().Perm())
	}
	for _, name := range []string{"turn.secret", "session.secret"} {
		e.secretFile(dir, name)
	}
	e.future(dir)
	e.disk(dir)
}

func (e *exam) newFolder(dir string) {
	parent := filepath.Dir(dir)
	for {
		if _, err := os.Stat(parent); err == nil || parent == filepath.Dir(parent) {
			break
		}
		parent = filepath.Dir(parent)
	}
	if err := writable(parent); err != nil {
		e.fail("folder", "Make it for the server's user: install -d -m 700 -o USER "+dir, "it is not there, and cannot be made: %v", err)
		return
	}
	e.ok("folder", "%s is not there yet; the first start makes it", dir)
	e.disk(parent)
}

// writable tries it, since rights alone do not tell: the file system may be read-only or
// full.
func writable(dir string) error {
	file, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = file.WriteString("x")
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// secretFile looks at a secret without showing it.
func (e *exam) secretFile(dir, name string) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // configured, or made at the first start
	}
	if err == nil {
		_, err = readSecret(path)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.fail(name, "Run the doctor as the user of the server, or as root.", "%v", err)
	case err != nil:
		e.fail(name, "Restore it from a backup, or delete it to have a new one made (everybody must then sign in again).", "%v", err)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		e.fail(name, "chmod 600 "+path+" and, if somebody may have read it, delete it and restart the server.",
			"other users of this machine can read it (mode %04o)", info.Mode().Perm())
	default:
		e.ok(name, "readable by its owner alone")
	}
}

func readSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("%s is damaged", path)
	}
	return secret, nil
}

// turnSecret is the one that the server uses; nil if there is none yet.
func (e *exam) turnSecret() ([]byte, error) {
	if e.Config.TURN.Secret.Reveal() != "" {
		return []byte(e.Config.TURN.Secret.Reveal()), nil
	}
	secret, err := readSecret(filepath.Join(e.Config.Data, "turn.secret"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return secret, err
}

// future finds files that were written later than now: the clock went back since.
func (e *exam) future(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // told already
	}
	now := e.Now()
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.ModTime().After(now.Add(futureBy)) {
			e.warn("clock", "Set this machine's clock; sessions and certificates are judged by it.",
				"%s was written at %s, which is in the future: the clock went back", entry.Name(), info.ModTime().Format(time.DateTime))
			return
		}
	}
}

func (e *exam) disk(dir string) {
	space, known := host.Disk(dir)
	hint := "Make room on this file system; a full one stops sign-in and messages."
	switch {
	case !known:
		e.skip("disk", "this system does not tell how much space is left")
	case space.Free < diskNone:
		e.fail("disk", hint, "%s left of %s", size(space.Free), size(space.Total))
	case space.Free < diskFew:
		e.warn("disk", hint, "%s left of %s", size(space.Free), size(space.Total))
	default:
		e.ok("disk", "%s left of %s", size(space.Free), size(space.Total))
	}
}

// size is bytes for people.
func size(bytes uint64) string {
	const kilo = 1024
	value, unit := float64(bytes), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if value < kilo {
			break
		}
		value, unit = value/kilo, next
	}
	if value < 10 && unit != "B" {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}
