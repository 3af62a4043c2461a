package rtc

import (
	"encoding/json"
	"reflect"
	"sync"
)

// Type names a message.
type Type string

// User is a person as others see them.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// EchoID is the user that the server itself answers for: whoever calls it gets
// their own sound and picture back. No account can have it, since an account's
// id starts with a letter or a digit.
const EchoID = "_echo"

// AttentionID is the user by which the server passes an administrator's voice on
// to many. It is in no roster, and takes only calls that the server has asked for.
const AttentionID = "_attention"

// Role says which end of a call makes the offer (RFC 3264).
type Role string

// The caller offers, the callee answers.
const (
	Offerer  Role = "offerer"
	Answerer Role = "answerer"
)

// Media is what a side of a call wants to send.
type Media string

// A video call carries sound as well.
const (
	Video Media = "video"
	Audio Media = "audio"
)

// CallState is where a call stands, as told to a device that (re)connects.
type CallState string

// The states a device may hear of; ended calls are not listed.
const (
	StateRinging   CallState = "ringing"
	StateActive    CallState = "active"
	StateRestoring CallState = "restoring"
)

// Hello opens a connection.
type Hello struct {
	Device  string        `json:"device"`
	Stream  string        `json:"stream,omitempty"`
	LastSeq uint64        `json:"last_seq,omitempty"`
	Calls   []RunningCall `json:"calls,omitempty"`
}

// RunningCall is a call whose media runs on the device that says hello.
type RunningCall struct {
	Call  string `json:"call"`
	Peer  string `json:"peer"`
	Role  Role   `json:"role"`
	Gen   int    `json:"gen"`
	Media Media  `json:"media"`
}

// Welcome answers Hello. Times are Unix milliseconds, durations milliseconds.
type Welcome struct {
	User        User       `json:"user"`
	Device      string     `json:"device"`
	Stream      string     `json:"stream"`
	Resumed     bool       `json:"resumed"`
	ServerTime  int64      `json:"server_time"`
	HeartbeatMS int64      `json:"heartbeat_ms"`
	ResumeMS    int64      `json:"resume_ms"`
	Calls       []CallInfo `json:"calls"`
}

// CallInfo is one call as a device that (re)connects hears of it.
type CallInfo struct {
	Call  string    `json:"call"`
	Peer  User      `json:"peer"`
	Role  Role      `json:"role"`
	State CallState `json:"state"`
	Gen   int       `json:"gen"`
	Media Media     `json:"media"`
	Since int64     `json:"since"`
}

// Ping asks for a Pong.
type Ping struct {
	ServerTime int64 `json:"server_time"`
}

// Pong answers Ping; Seq is the last number seen in the device's stream.
type Pong struct {
	Seq uint64 `json:"seq"`
}

// Bye leaves on purpose.
type Bye struct{}

// Ack answers a request that was carried out.
type Ack struct{}

// Error answers a request that was not carried out. It is a Go error as well.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Status is what others see of a person.
type Status string

// Offline appears only in updates.
const (
	Free    Status = "free"
	Busy    Status = "busy"
	Offline Status = "offline"
)

// Person is one line of presence.
type Person struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status Status `json:"status"`
}

// PresenceSnapshot lists everybody connected.
type PresenceSnapshot struct {
	People []Person `json:"people"`
}

// PresenceUpdate lists those who changed.
type PresenceUpdate struct {
	People []Person `json:"people"`
}

// CallInvite starts ringing.
type CallInvite struct {
	Call  string `json:"call"`
	To    string `json:"to"`
	Media Media  `json:"media"`

	Device string `json:"device,omitempty"` // rings there alone; for the server's own endpoints
}

// CallRinging tells the caller that it rings; Waiting, that the other side is in
// a call and hears of this one beside it.
type CallRinging struct {
	Call    string `json:"call"`
	Waiting bool   `json:"waiting,omitempty"`
}

// CallIncoming rings at a device of the callee.
type CallIncoming struct {
	Call       string `json:"call"`
	From       User   `json:"from"`
	Media      Media  `json:"media"`
	Attention  bool   `json:"attention,omitempty"` // an administrator speaks to many: taken by itself, listened to only
	ServerTime int64  `json:"server_time"`
}

// CallAccept takes a ringing call.
type CallAccept struct {
	Call  string `json:"call"`
	Media Media  `json:"media"`
}

// CallDecline refuses a ringing call for all devices of the user.
type CallDecline struct {
	Call string `json:"call"`
}

// CallCancel stops ringing the other side.
type CallCancel struct {
	Call string `json:"call"`
}

// CallHangup ends a call. An empty Reason means EndHangup.
type CallHangup struct {
	Call   string    `json:"call"`
	Reason EndReason `json:"reason,omitempty"`
}

// CallStarted tells a device to make a fresh RTCPeerConnection.
type CallStarted struct {
	Call       string `json:"call"`
	Peer       User   `json:"peer"`
	Role       Role   `json:"role"`
	Gen        int    `json:"gen"`
	Media      Media  `json:"media"`
	ServerTime int64  `json:"server_time"`
}

// CallSignal carries a session description or an ICE candidate, unread.
type CallSignal struct {
	Call    string          `json:"call"`
	Gen     int             `json:"gen"`
	Payload json.RawMessage `json:"payload"`
}

// CallRejoin asks for the media of a running call again. A Gen that is over
// changes nothing.
type CallRejoin struct {
	Call string `json:"call"`
	Gen  int    `json:"gen,omitempty"` // of the media that was lost
}

// CallMedia says what the sender is sending just now.
type CallMedia struct {
	Call   string `json:"call"`
	Audio  bool   `json:"audio"`
	Video  bool   `json:"video"`
	Screen bool   `json:"screen"`
	Held   bool   `json:"held,omitempty"` // the other side waits: nothing is sent and nothing is played
}

// CallMove brings a running call of the same user from another device to this
// one, which says what it wants to send.
type CallMove struct {
	Call  string `json:"call"`
	Media Media  `json:"media"`
}

// CallElsewhere lists the running calls of the same user on other devices.
type CallElsewhere struct {
	Calls []ElsewhereCall `json:"calls"`
}

// ElsewhereCall is one of them. Since is Unix milliseconds.
type ElsewhereCall struct {
	Call  string `json:"call"`
	Peer  User   `json:"peer"`
	Media Media  `json:"media"`
	Since int64  `json:"since"`
}

// CallPeer says whether the other device's signalling is connected.
type CallPeer struct {
	Call      string `json:"call"`
	Connected bool   `json:"connected"`
}

// CallEnded is the last word on a call.
type CallEnded struct {
	Call       string    `json:"call"`
	Reason     EndReason `json:"reason"`
	By         string    `json:"by,omitempty"`
	Into       string    `json:"into,omitempty"`
	ServerTime int64     `json:"server_time"`
}

func (*Hello) Type() Type            { return "hello" }
func (*Welcome) Type() Type          { return "welcome" }
func (*Ping) Type() Type             { return "ping" }
func (*Pong) Type() Type             { return "pong" }
func (*Bye) Type() Type              { return "bye" }
func (*Ack) Type() Type              { return "ack" }
func (*Error) Type() Type            { return "error" }
func (*PresenceSnapshot) Type() Type { return "presence.snapshot" }
func (*PresenceUpdate) Type() Type   { return "presence.update" }
func (*CallInvite) Type() Type       { return "call.invite" }
func (*CallRinging) Type() Type      { return "call.ringing" }
func (*CallIncoming) Type() Type     { return "call.incoming" }
func (*CallAccept) Type() Type       { return "call.accept" }
func (*CallDecline) Type() Type      { return "call.decline" }
func (*CallCancel) Type() Type       { return "call.cancel" }
func (*CallHangup) Type() Type       { return "call.hangup" }
func (*CallStarted) Type() Type      { return "call.started" }
func (*CallSignal) Type() Type       { return "call.signal" }
func (*CallRejoin) Type() Type       { return "call.rejoin" }
func (*CallMedia) Type() Type        { return "call.media" }
func (*CallMove) Type() Type         { return "call.move" }
func (*CallElsewhere) Type() Type    { return "call.elsewhere" }
func (*CallPeer) Type() Type         { return "call.peer" }
func (*CallEnded) Type() Type        { return "call.ended" }

// newMessage returns an empty message of a type, nil for an unknown one.
func newMessage(t Type) Message {
	if kind, known := kinds()[t]; known {
		return reflect.New(kind).Interface().(Message)
	}
	return nil
}

// kinds is looked up for each frame, so it is made once.
var kinds = sync.OnceValue(func() map[Type]reflect.Type {
	made := make(map[Type]reflect.Type)
	for _, msg := range all() {
		made[msg.Type()] = reflect.TypeOf(msg).Elem()
	}
	return made
})

// all lists one empty message of every type.
func all() []Message {
	return []Message{
		&Hello{}, &Welcome{}, &Ping{}, &Pong{}, &Bye{}, &Ack{}, &Error{},
		&PresenceSnapshot{}, &PresenceUpdate{},
		&TextSend{}, &TextSent{}, &TextMessage{}, &TextEdit{}, &TextDelete{}, &TextMark{}, &TextMarks{}, &TextTyping{}, &CallsSeen{},
		&FileAsk{}, &FileAsked{}, &FileTake{}, &FileTaken{}, &FileSignal{}, &FileDrop{},
		&ProfileUpdate{}, &Announcement{}, &AnnouncementSeen{},
		&CallInvite{}, &CallRinging{}, &CallIncoming{}, &CallAccept{}, &CallDecline{},
		&CallCancel{}, &CallHangup{}, &CallStarted{}, &CallSignal{}, &CallRejoin{},
		&CallMedia{}, &CallMove{}, &CallElsewhere{}, &CallPeer{}, &CallEnded{}, &CallReport{},
		&PathRun{}, &PathSignal{}, &PathResult{},
	}
}
