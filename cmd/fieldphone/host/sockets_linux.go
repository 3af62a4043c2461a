package host

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Socket is a bound UDP or listening TCP socket of this machine.
type Socket struct {
	Address netip.AddrPort // an unspecified address means all
	inode   string
}

// Sockets lists the bound sockets of a network, tcp or udp; known is false where the
// system does not tell.
func Sockets(network string) (sockets []Socket, known bool) {
	for _, file := range []string{network, network + "6"} {
		found, err := readSockets("/proc/net/"+file, network == "tcp")
		if err == nil {
			known = true
		}
		sockets = append(sockets, found...)
	}
	return sockets, known
}

// tcpListen is TCP_LISTEN of the kernel's table.
const tcpListen = "0A"

func readSockets(path string, listening bool) ([]Socket, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var sockets []Socket
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || listening && fields[3] != tcpListen {
			continue
		}
		if at, ok := parseHexAddress(fields[1]); ok {
			sockets = append(sockets, Socket{Address: at, inode: fields[9]})
		}
	}
	return sockets, lines.Err()
}

// parseHexAddress reads the kernel's form: 32-bit words in the host's order, so reversed
// on little-endian machines, which are all that this is built for.
func parseHexAddress(text string) (netip.AddrPort, bool) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), ok
}

// Owners finds the processes that hold the sockets, as far as this user may see. The
// result is by the socket's place in the list; what is not found is missing.
func Owners(sockets []Socket) map[int]Process {
	wanted := make(map[string][]int, len(sockets))
	for i, s := range sockets {
		link := "socket:[" + s.inode + "]"
		wanted[link] = append(wanted[link], i)
	}
	owners := make(map[int]Process)
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well formed
	for _, path := range descriptors {
		link, err := os.Readlink(path)
		if err != nil {
			continue
		}
		for _, i := range wanted[link] {
			if _, known := owners[i]; known {
				continue
			}
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2]) // the pattern has digits there
			owners[i] = Process{PID: pid, Name: nameOf(pid)}
		}
	}
	return owners
}

func nameOf(pid int) string {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
