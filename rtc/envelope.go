// Package rtc holds the words of the signalling protocol: the envelope, one
// struct for each message, and the codes. PROTOCOL.md beside this file is the
// protocol; testdata/messages has one golden example of each message, read by
// the Go and the TypeScript tests.
package rtc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxIDLength is the longest request id that a client may choose, in bytes.
const MaxIDLength = 64

// Envelope is the outer form of every message.
type Envelope struct {
	Type Type            `json:"type"`
	ID   string          `json:"id,omitempty"`
	Re   string          `json:"re,omitempty"`
	Seq  uint64          `json:"seq,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Message is the data of an envelope: every struct of this package that goes
// over the wire.
type Message interface {
	// Type names the message.
	Type() Type
	// Validate says which field breaks the protocol, or nil. Its error is an
	// *Error with CodeBadData.
	Validate() error
}

// Decode reads one envelope and the message in it. The error is an *Error that
// may be sent back; the envelope is returned as far as it could be read, so
// that the answer can carry its id.
func Decode(frame []byte) (Envelope, Message, error) {
	if !utf8.Valid(frame) { // passed on, it would end the receiver's connection (RFC 6455, section 8.1)
		return Envelope{}, nil, badJSON()
	}
	if env, ok := split(frame); ok {
		msg, err := env.message()
		var broken *json.SyntaxError
		if err == nil || !errors.As(err, &broken) {
			return env, msg, asRefusal(err)
		}
	}
	var env Envelope
	if err := json.Unmarshal(frame, &env); err != nil {
		return Envelope{}, nil, badJSON()
	}
	msg, err := env.message()
	return env, msg, asRefusal(err)
}

// message reads the message in an envelope.
func (env *Envelope) message() (Message, error) {
	if len(env.ID) > MaxIDLength || len(env.Re) > MaxIDLength {
		env.ID, env.Re = "", ""
		return nil, badData("id", "must have at most 64 characters")
	}
	msg := newMessage(env.Type)
	if msg == nil {
		return nil, &Error{Code: CodeUnknownType, Message: "no message has this type"}
	}
	data := bytes.TrimSpace(env.Data)
	signal, isSignal := msg.(*CallSignal)
	switch {
	case len(data) == 0, bytes.Equal(data, []byte("null")):
	case isSignal && signal.readShort(data):
	default:
		if err := json.Unmarshal(data, msg); err != nil {
			return nil, err
		}
	}
	if err := msg.Validate(); err != nil {
		return nil, err
	}
	return msg, nil
}

// asRefusal words what encoding/json says.
func asRefusal(err error) error {
	var refusal *Error
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return badJSONData(err)
}

func badJSON() *Error {
	return &Error{Code: CodeBadJSON, Message: "the frame is not a JSON envelope with a type"}
}

// Encode makes the frame of one message. Seq 0 means not numbered; re is empty
// unless it is an answer.
func Encode(msg Message, seq uint64, re string) ([]byte, error) {
	data, err := Data(msg)
	if err != nil {
		return nil, fmt.Errorf("rtc: encode %s: %w", msg.Type(), err)
	}
	if re == "" {
		return Frame(msg.Type(), seq, data), nil
	}
	if bytes.Equal(data, []byte("{}")) {
		data = nil
	}
	return json.Marshal(Envelope{Type: msg.Type(), Re: re, Seq: seq, Data: data})
}

// Frame makes the frame of a message that is encoded already and answers none.
func Frame(t Type, seq uint64, data []byte) []byte {
	frame := make([]byte, 0, len(data)+len(t)+48)
	frame = append(frame, `{"type":"`...)
	frame = append(frame, t...) // a name of this package: nothing to escape
	frame = append(frame, '"')
	if seq > 0 {
		frame = append(frame, `,"seq":`...)
		frame = strconv.AppendUint(frame, seq, 10)
	}
	if len(data) > len("{}") {
		frame = append(append(frame, `,"data":`...), data...)
	}
	return append(frame, '}')
}

// EncodeRequest makes the frame of a client's message; id is empty when no
// answer is wanted.
func EncodeRequest(msg Message, id string) ([]byte, error) {
	data, err := json.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("rtc: encode %s: %w", msg.Type(), err)
	}
	if bytes.Equal(data, []byte("{}")) {
		data = nil
	}
	return json.Marshal(Envelope{Type: msg.Type(), ID: id, Data: data})
}

func badJSONData(err error) *Error {
	var typeErr *json.UnmarshalTypeError
	if errors.As(err, &typeErr) && typeErr.Field != "" {
		return badData(typeErr.Field, "must not be a JSON "+typeErr.Value)
	}
	return badData("data", "must be a JSON object of the message's fields")
}
