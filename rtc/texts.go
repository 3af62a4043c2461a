package rtc

import (
	"strings"
	"unicode/utf8"
)

// Limits on texts.
const (
	MaxTextBody    = 8000     // bytes of a text
	MaxFileName    = 255      // bytes of a file's name
	MaxFileType    = 127      // bytes of a media type (RFC 6838, section 4.2)
	MaxFileSize    = 64 << 30 // bytes of a file
	MaxPicture     = 32_768   // pixels of a picture's side
	MaxVoice       = 3600     // seconds of a voice message
	MaxPosition    = 1 << 53  // what a browser counts exactly
	MaxGroupName   = 64       // characters of a group's name
	MaxGroupPeople = 500      // members of a group
)

// GroupPrefix begins the name of a chat that is a group's; any other name is
// that of the person with whom the chat is.
const GroupPrefix = "#"

// TextKind says what a message of a chat is.
type TextKind string

// The kinds of messages.
const (
	KindText TextKind = "text" // what somebody wrote, with or without a file
	KindCall TextKind = "call" // a call that is over
	KindNote TextKind = "note" // something happened to the group
)

// FileKind says how a file is shown.
type FileKind string

// The kinds of files.
const (
	FilePlain   FileKind = "file"
	FilePicture FileKind = "picture"
	FileVoice   FileKind = "voice"
)

// File describes a file that goes with a text; its content goes elsewhere
// (PROTOCOL.md, Files).
type File struct {
	File    string   `json:"file"` // its name, chosen by the client
	Kind    FileKind `json:"kind"`
	Name    string   `json:"name"` // as the sender's device calls it
	Type    string   `json:"type"` // media type, as the sender says
	Size    int64    `json:"size"` // bytes
	Width   int      `json:"width,omitempty"`
	Height  int      `json:"height,omitempty"`
	Seconds float64  `json:"seconds,omitempty"` // of a voice message
}

// TextSend asks to store and deliver a text.
type TextSend struct {
	Message string `json:"message"`
	Chat    string `json:"chat"`
	Body    string `json:"body"`
	File    *File  `json:"file,omitempty"`
}

// TextSent answers TextSend: the text is stored.
type TextSent struct {
	Message    string `json:"message"`
	Pos        int64  `json:"pos"`
	Rev        int64  `json:"rev"`
	ServerTime int64  `json:"server_time"`
}

// TextMessage is a message of a chat as it now is. Pos orders the messages of a
// chat, from 1; Rev grows with every change in the chat, so that of two versions
// the later is known. Times are Unix milliseconds.
type TextMessage struct {
	Message    string    `json:"message"`
	Chat       string    `json:"chat"` // as the receiver calls it
	From       User      `json:"from"`
	Kind       TextKind  `json:"kind"`
	Body       string    `json:"body"`
	Pos        int64     `json:"pos"`
	Rev        int64     `json:"rev"`
	ServerTime int64     `json:"server_time"`
	Edited     int64     `json:"edited,omitempty"`
	Deleted    int64     `json:"deleted,omitempty"`
	File       *File     `json:"file,omitempty"`
	Call       *PastCall `json:"call,omitempty"`
	Note       *Note     `json:"note,omitempty"`
}

// PastCall is a call that is over; who called is TextMessage.From.
type PastCall struct {
	Media   Media     `json:"media"`
	Reason  EndReason `json:"reason"`
	By      string    `json:"by,omitempty"`      // user id of who ended it
	Seconds int64     `json:"seconds,omitempty"` // talked; 0 if it was not answered
	Path    string    `json:"path,omitempty"`    // direct or relay; empty if it never connected
}

// NoteKind says what happened to a group.
type NoteKind string

// The kinds of notes.
const (
	NoteCreated  NoteKind = "created"
	NoteNamed    NoteKind = "named"
	NoteAdded    NoteKind = "added"
	NoteRemoved  NoteKind = "removed"
	NoteLeft     NoteKind = "left"
	NotePromoted NoteKind = "promoted"
	NoteDemoted  NoteKind = "demoted"
)

// Note is what TextMessage.From did to the group.
type Note struct {
	What NoteKind `json:"what"`
	Who  []User   `json:"who,omitempty"`
	Name string   `json:"name,omitempty"` // of the group, from now on
}

// TextEdit replaces the body of one's own text.
type TextEdit struct {
	Message string `json:"message"`
	Chat    string `json:"chat"`
	Body    string `json:"body"`
}

// TextDelete empties one's own text, or, for an admin of the group, anybody's.
type TextDelete struct {
	Message string `json:"message"`
	Chat    string `json:"chat"`
}

// TextMark says how far this user's devices have received and read a chat.
// Marks only grow.
type TextMark struct {
	Chat      string `json:"chat"`
	Delivered int64  `json:"delivered,omitempty"`
	Read      int64  `json:"read,omitempty"`
}

// TextMarks tells how far somebody has received and read a chat.
type TextMarks struct {
	Chat      string `json:"chat"`
	User      string `json:"user"`
	Delivered int64  `json:"delivered"`
	Read      int64  `json:"read"`
}

// CallsSeen tells somebody's devices that one of them has shown the list of
// calls that are over.
type CallsSeen struct {
	At int64 `json:"at"` // Unix milliseconds; calls up to then
}

// TextTyping says that the sender writes in a chat just now; User is set by the
// server.
type TextTyping struct {
	Chat string `json:"chat"`
	User string `json:"user,omitempty"`
}

func (*TextSend) Type() Type    { return "text.send" }
func (*TextSent) Type() Type    { return "text.sent" }
func (*TextMessage) Type() Type { return "text.message" }
func (*TextEdit) Type() Type    { return "text.edit" }
func (*TextDelete) Type() Type  { return "text.delete" }
func (*TextMark) Type() Type    { return "text.mark" }
func (*TextMarks) Type() Type   { return "text.marks" }
func (*TextTyping) Type() Type  { return "text.typing" }
func (*CallsSeen) Type() Type   { return "calls.seen" }

// IsGroup tells whether a chat's name is that of a group.
func IsGroup(chat string) bool { return strings.HasPrefix(chat, GroupPrefix) }

func checkChat(s string) *Error {
	if group, ok := strings.CutPrefix(s, GroupPrefix); ok {
		return checkName("chat", group)
	}
	return checkUserID("chat", s)
}

func checkBody(s string) *Error {
	if strings.TrimSpace(s) == "" || len(s) > MaxTextBody || !utf8.ValidString(s) {
		return badData("body", "must be 1 to 8000 bytes of text")
	}
	return nil
}

// checkLine allows what can stand in one line: no control characters, which
// would also turn the order of what is around them.
func checkLine(field, s string, most int) *Error {
	bad := func(r rune) bool {
		return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}
	if strings.TrimSpace(s) == "" || len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, bad) {
		return badData(field, "must be one line of text")
	}
	return nil
}

func checkFile(f *File) []*Error {
	if f == nil {
		return nil
	}
	printable := func(r rune) bool { return r > ' ' && r < 0x7f }
	errs := []*Error{
		checkName("file.file", f.File),
		checkOneOf("file.kind", f.Kind, FilePlain, FilePicture, FileVoice),
		checkLine("file.name", f.Name, MaxFileName),
		checkNumber("file.size", float64(f.Size), MaxFileSize),
		checkNumber("file.width", float64(f.Width), MaxPicture),
		checkNumber("file.height", float64(f.Height), MaxPicture),
		checkNumber("file.seconds", f.Seconds, MaxVoice),
	}
	if len(f.Type) > MaxFileType || strings.ContainsFunc(f.Type, func(r rune) bool { return !printable(r) }) {
		errs = append(errs, badData("file.type", "must be a media type"))
	}
	return errs
}

// Validate implements Message.
func (m *TextSend) Validate() error {
	errs := append(checkFile(m.File), checkName("message", m.Message), checkChat(m.Chat))
	if m.File == nil || m.Body != "" {
		errs = append(errs, checkBody(m.Body))
	}
	return firstError(errs...)
}

// Validate implements Message.
func (m *TextEdit) Validate() error {
	return firstError(checkName("message", m.Message), checkChat(m.Chat), checkBody(m.Body))
}

// Validate implements Message.
func (m *TextDelete) Validate() error {
	return firstError(checkName("message", m.Message), checkChat(m.Chat))
}

// Validate implements Message.
func (m *TextMark) Validate() error {
	return firstError(checkChat(m.Chat),
		checkNumber("delivered", float64(m.Delivered), MaxPosition), checkNumber("read", float64(m.Read), MaxPosition))
}

// Validate implements Message.
func (m *TextTyping) Validate() error { return firstError(checkChat(m.Chat)) }

// CheckGroup says what is wrong with the name that a client chose for a group in
// the protocol, or with the one that people see; nil if nothing is.
func CheckGroup(group, name string) error {
	errs := []*Error{checkName("group", group), checkLine("name", name, 4*MaxGroupName)}
	if utf8.RuneCountInString(name) > MaxGroupName {
		errs = append(errs, badData("name", "must be at most 64 characters"))
	}
	return firstError(errs...)
}

// Validate implements Message. Only the server sends this.
func (*TextSent) Validate() error { return nil }

// Validate implements Message. Only the server sends this.
func (*TextMessage) Validate() error { return nil }

// Validate implements Message. Only the server sends this.
func (*CallsSeen) Validate() error { return nil }

// Validate implements Message. Only the server sends this.
func (*TextMarks) Validate() error { return nil }
