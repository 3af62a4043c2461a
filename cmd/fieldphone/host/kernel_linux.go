package host

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Sysctl reads a setting of the kernel, like net.core.rmem_max.
func Sysctl(name string) (value int64, known bool) {
	text, err := os.ReadFile(filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/")))
	if err != nil {
		return 0, false
	}
	value, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return value, err == nil
}

// Memory is what programs can still get, and all there is.
func Memory() (space Space, known bool) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return Space{}, false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		kilobytes, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			space.Total = kilobytes << 10
		case "MemAvailable:":
			space.Free = kilobytes << 10
		}
	}
	return space, space.Total > 0 && lines.Err() == nil
}

// FilesOf is the limit of open files of another process.
func FilesOf(pid int) (files Files, known bool) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "limits"))
	if err != nil {
		return Files{}, false
	}
	for line := range strings.Lines(string(text)) {
		rest, found := strings.CutPrefix(line, "Max open files")
		fields := strings.Fields(rest)
		if !found || len(fields) < 2 {
			continue
		}
		soft, err := strconv.ParseUint(fields[0], 10, 64)
		hard, err2 := strconv.ParseUint(fields[1], 10, 64)
		return Files{Soft: soft, Hard: hard}, err == nil && err2 == nil
	}
	return Files{}, false
}

// Ruleset is this machine's packet filter as nft prints it; known is false without nft or
// the right to ask.
func Ruleset(ctx context.Context) (text string, known bool) {
	for _, name := range []string{"nft", "/usr/sbin/nft", "/sbin/nft"} {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, program, "--numeric", "list", "ruleset").Output()
		return string(out), err == nil
	}
	return "", false
}
