package configs

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// PortRange is a range of ports, both ends included, written "49160-49359".
type PortRange struct{ Min, Max int }

// String returns the range as it is written in the file.
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

// Size returns how many ports the range has, 0 if it is reversed.
func (r PortRange) Size() int { return max(0, r.Max-r.Min+1) }

// Contains reports whether port is in the range.
func (r PortRange) Contains(port int) bool { return r.Min <= port && port <= r.Max }

// A parse failure is a rule and a fix, so that a Problem can be made of it.
type badValue struct{ rule, fix string }

func (b *badValue) Error() string { return b.rule + "; " + b.fix }

// parseValue sets v, which is not a list or a section, from the text a user wrote.
func parseValue(text string, v reflect.Value) *badValue {
	var parsed any
	var err error
	bad := &badValue{}
	switch v.Interface().(type) {
	case string:
		parsed = text
	case Secret:
		parsed = NewSecret(text)
	case bool:
		*bad = badValue{"it is either true or false", "write one of them"}
		parsed, err = text == "true", nil
		if text != "true" && text != "false" {
			err = bad
		}
	case int:
		*bad = badValue{"it must be a whole number", "write digits only"}
		parsed, err = strconv.Atoi(text)
	case time.Duration:
		*bad = badValue{"it must be a duration with its unit", "write it like 500ms, 45s, 2m or 3h"}
		parsed, err = time.ParseDuration(text)
	case Size:
		*bad = badValue{"it must be a number of bytes with its unit", "write it like 500MB or 2GB"}
		parsed, err = parseSize(text)
	case PortRange:
		*bad = badValue{"it must be two ports with a hyphen between them", "write it like 49160-49359"}
		parsed, err = parsePortRange(text)
	case netip.Addr:
		*bad = badValue{"it must be an IP address without a zone", "write it like 192.168.1.10 or fd00::10"}
		parsed, err = parseAddr(text)
	case netip.AddrPort:
		*bad = badValue{"it must be an IP address, or one with a port", "write it like 192.168.1.10, 192.168.1.10:3478 or [fd00::10]:3478"}
		parsed, err = parseAddrPort(text)
	case netip.Prefix:
		*bad = badValue{"it must be a network in CIDR form", "write it like 192.168.1.0/24 or fd00::/64"}
		parsed, err = netip.ParsePrefix(text)
	default:
		return &badValue{"it is of a kind that cannot be read", "report this as a bug in Fieldphone"}
	}
	if err != nil {
		return bad
	}
	v.Set(reflect.ValueOf(parsed))
	return nil
}

func parsePortRange(text string) (PortRange, error) {
	low, high, found := strings.Cut(text, "-")
	if !found {
		return PortRange{}, errors.New("no hyphen")
	}
	lowest, lowErr := strconv.Atoi(strings.TrimSpace(low))
	highest, highErr := strconv.Atoi(strings.TrimSpace(high))
	return PortRange{Min: lowest, Max: highest}, errors.Join(lowErr, highErr)
}

func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err == nil && addr.Zone() != "" {
		err = errors.New("has a zone")
	}
	return addr.Unmap(), err
}

func parseAddrPort(text string) (netip.AddrPort, error) {
	if addr, err := parseAddr(text); err == nil {
		return netip.AddrPortFrom(addr, 0), nil
	}
	ap, err := netip.ParseAddrPort(text)
	if err == nil && ap.Addr().Zone() != "" {
		err = errors.New("has a zone")
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), err
}

// formatValue is the reverse of parseValue.
func formatValue(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return formatDuration(v)
	case netip.AddrPort:
		if v.Port() == 0 {
			return v.Addr().String()
		}
	}
	return fmt.Sprint(value)
}

// formatDuration writes 3h where package time writes 3h0m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
