package rtc

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/tidwall/gjson"
)

// split reads an envelope as programs write it, without looking into data: it
// is what every frame costs first. Whatever is unusual it leaves to
// encoding/json, which also says what is wrong. Data is part of frame.
func split(frame []byte) (env Envelope, ok bool) {
	s := splitter{rest: frame}
	if !s.take('{') {
		return env, false
	}
	for {
		key, known := s.text()
		if !known || !s.take(':') {
			return env, false
		}
		var fine bool
		switch string(key) {
		case "type":
			env.Type, fine = textAs[Type](&s)
		case "id":
			env.ID, fine = textAs[string](&s)
		case "re":
			env.Re, fine = textAs[string](&s)
		case "data":
			env.Data, fine = s.object()
		}
		if !fine {
			return env, false
		}
		if s.take('}') {
			return env, len(bytes.TrimSpace(s.rest)) == 0
		}
		if !s.take(',') {
			return env, false
		}
	}
}

func textAs[T ~string](s *splitter) (T, bool) {
	text, ok := s.text()
	return T(text), ok
}

// readShort reads what browsers exchange most, as they write it. What is unusual it
// leaves to encoding/json.
func (m *CallSignal) readShort(data []byte) bool {
	s := splitter{rest: data}
	var read CallSignal
	for next := byte('{'); next == '{' || !s.take('}'); next = ',' {
		if !s.take(next) {
			return false
		}
		key, known := s.text()
		if !known || !s.take(':') {
			return false
		}
		fine := false
		switch string(key) {
		case "call":
			read.Call, fine = textAs[string](&s)
		case "gen":
			read.Gen, fine = s.number()
		case "payload":
			if read.Payload == nil {
				read.Payload, fine = s.object()
			}
		}
		if !fine {
			return false
		}
	}
	if len(s.rest) > 0 || !gjson.ValidBytes(read.Payload) {
		return false
	}
	read.Payload = bytes.Clone(read.Payload)
	*m = read
	return true
}

type splitter struct{ rest []byte }

// take takes one character, after white space.
func (s *splitter) take(c byte) bool {
	for i, b := range s.rest {
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case c:
			s.rest = s.rest[i+1:]
			return true
		}
		return false
	}
	return false
}

// text takes a string of ASCII without escapes.
func (s *splitter) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for i, b := range s.rest {
		switch {
		case b == '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text, true
		case b == '\\' || b < ' ' || b >= 0x7f:
			return nil, false
		}
	}
	return nil, false
}

// number takes a number of a few digits.
func (s *splitter) number() (n int, ok bool) {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	digits := 0
	for digits < len(s.rest) && digits < 9 && s.rest[digits] >= '0' && s.rest[digits] <= '9' {
		n = 10*n + int(s.rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 1 && s.rest[0] == '0' {
		return 0, false
	}
	s.rest = s.rest[digits:]
	return n, true
}

// object takes what has as many brackets as an object; whether it is JSON is
// for who reads it.
func (s *splitter) object() ([]byte, bool) {
	whole := s.rest
	if !s.take('{') {
		return nil, false
	}
	from := s.rest
	whole = whole[len(whole)-len(from)-1:]
	depth := 1
	for i := 0; i < len(from); i++ {
		switch from[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				s.rest = from[i+1:]
				return whole[:i+2], true
			}
		case '"':
			end := closing(from[i+1:])
			if end < 0 {
				return nil, false
			}
			i += 1 + end
		}
	}
	return nil, false
}

// closing finds the quote that ends a string.
func closing(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// Data encodes a message without its envelope.
func Data(msg Message) ([]byte, error) {
	// What browsers exchange most. The payload was JSON when it was read; a new
	// line in it would end a server-sent event.
	if m, ok := msg.(*CallSignal); ok && checkName("", m.Call) == nil && gjson.ValidBytes(m.Payload) && !bytes.ContainsAny(m.Payload, "\r\n") {
		data := make([]byte, 0, len(m.Call)+len(m.Payload)+48)
		data = append(append(append(data, `{"call":"`...), m.Call...), `","gen":`...)
		data = append(strconv.AppendInt(data, int64(m.Gen), 10), `,"payload":`...)
		return append(append(data, m.Payload...), '}'), nil
	}
	return json.Marshal(msg)
}
