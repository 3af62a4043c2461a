package rtc

import "encoding/json"

// FileAsk asks whoever sent a file for its content, directly from device to
// device. Link names the attempt.
type FileAsk struct {
	Link string `json:"link"`
	File string `json:"file"`
	From string `json:"from"` // user id of who sent the file
}

// FileAsked puts the question to the devices of who sent the file.
type FileAsked struct {
	Link string `json:"link"`
	File string `json:"file"`
	By   User   `json:"by"`
}

// FileTake says that this device has the file and will send it. The first
// device to say so gets the link.
type FileTake struct {
	Link string `json:"link"`
}

// FileTaken tells the asking device that a device will send the file.
type FileTaken struct {
	Link string `json:"link"`
}

// FileSignal carries a session description or an ICE candidate, unread, between
// the two devices of a link.
type FileSignal struct {
	Link    string          `json:"link"`
	Payload json.RawMessage `json:"payload"`
}

// FileDrop ends a link: from a client, that it gives up or is done; from the
// server, that the link is over or came to nothing.
type FileDrop struct {
	Link string `json:"link"`
	Code Code   `json:"code,omitempty"` // why, from the server
}

func (*FileAsk) Type() Type    { return "file.ask" }
func (*FileAsked) Type() Type  { return "file.asked" }
func (*FileTake) Type() Type   { return "file.take" }
func (*FileTaken) Type() Type  { return "file.taken" }
func (*FileSignal) Type() Type { return "file.signal" }
func (*FileDrop) Type() Type   { return "file.drop" }

// Validate implements Message.
func (m *FileAsk) Validate() error {
	return firstError(checkName("link", m.Link), checkName("file", m.File), checkUserID("from", m.From))
}

// Validate implements Message.
func (m *FileTake) Validate() error { return firstError(checkName("link", m.Link)) }

// Validate implements Message.
func (m *FileSignal) Validate() error {
	return firstError(checkName("link", m.Link), checkPayload(m.Payload))
}

// Validate implements Message.
func (m *FileDrop) Validate() error { return firstError(checkName("link", m.Link)) }

// Validate implements Message. Only the server sends this.
func (*FileAsked) Validate() error { return nil }

// Validate implements Message. Only the server sends this.
func (*FileTaken) Validate() error { return nil }
