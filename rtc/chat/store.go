package chat

import (
	"context"
	"errors"

	"fieldphone/rtc"
)

// What a [Store] answers, wrapped or bare, besides its own failures.
var (
	// ErrNotFound: there is no such thing, or not for this person.
	ErrNotFound = errors.New("chat: not found")
	// ErrUnavailable: the database is full, locked, read-only or out of reach;
	// nothing was written, and trying later may help.
	ErrUnavailable = errors.New("chat: database unavailable")
)

// Person is an account. Born tells accounts with the same id apart, of which
// the earlier was deleted: chats belong to the account, not to its id.
type Person struct {
	rtc.User
	Born int64
}

// gone tells of an account that was deleted and whose id stays taken: what was
// written stays, and nothing new comes.
func (p Person) gone() bool { return p.Name == "" }

// Chat is what is kept of a chat. Times are Unix milliseconds.
type Chat struct {
	ID        int64
	Key       string // see [Key]
	Title     string // of a group
	CreatedBy string // user id, of a group
	CreatedAt int64
	Pos, Rev  int64 // the last ones given
	At        int64 // of the last message
}

// Member is somebody's place in a chat. One who left keeps it, to read what
// there was until then.
type Member struct {
	Person
	Admin           bool
	Joined          int64 // Unix milliseconds
	Read, Delivered int64 // positions
	Left            *Left // nil while a member
}

// Left is when somebody left a group: what came later is not for them.
type Left struct {
	Pos, Rev int64
	At       int64  // Unix milliseconds
	Title    string // of the group, then
}

// Message is a message as it is kept. Its Chat is empty, since each viewer
// calls the chat otherwise; see [Seen].
type Message struct {
	rtc.TextMessage
	ID     int64  // grows with time over all chats
	Key    string // of the chat
	Unread bool   // counts as unread for everybody but From until it is read
}

// PastCall is a call that is over, from From to To.
type PastCall struct {
	Message
	To rtc.User
}

// Entry is a chat in somebody's list.
type Entry struct {
	Chat
	Me      Member
	Last    *Message // nil if retention took all
	Unread  int      // of the newest [CountedUnread]
	Peer    *Member  // in a chat of two
	Members int      // of a group
}

// CountedUnread bounds how many messages are looked at to count the unread.
const CountedUnread = 300

// Range says which messages of a chat to read. Exactly one of Before and Since
// counts: those before a position (0: the newest), the nearest, or those
// changed after a revision, by revision.
type Range struct {
	Chat    Chat
	Me      Member
	Before  int64
	ByRev   bool
	Since   int64
	Message string // if set, only the one with this name
	Limit   int
}

// Find says what to search for, newest first.
type Find struct {
	User   string
	Text   string // as typed
	Key    string // of a chat, or empty for all
	Before int64  // Unix milliseconds; 0: now
	Limit  int
}

// Store keeps chats. Every method is safe for concurrent use, also by several
// processes on one database.
type Store interface {
	// Update runs do in one transaction, again if the database broke it off in
	// favour of another. Once it returns nil, what was written stays.
	Update(ctx context.Context, do func(Tx) error) error

	// Access gives a chat and somebody's place in it. ErrNotFound.
	Access(ctx context.Context, key, user string) (Chat, Member, error)
	// Members gives those who are in a chat, the longest first.
	Members(ctx context.Context, chat int64) ([]Member, error)
	// Messages gives what is in a range, and that the member may see, ascending.
	Messages(ctx context.Context, r Range) ([]Message, error)
	// Chats gives somebody's chats with messages before a time, the latest
	// first; those at the same time as the last one as well, beyond the limit.
	Chats(ctx context.Context, user string, before int64, limit int) (entries []Entry, more bool, err error)
	// Search and Calls give messages newest first; those at the same time as
	// the last one as well, beyond the limit.
	Search(ctx context.Context, find Find) (found []Message, more bool, err error)
	Calls(ctx context.Context, user string, before int64, limit int) (calls []PastCall, more bool, err error)
	// CallsSeen tells up to when (Unix milliseconds) somebody has looked at
	// their calls; SeeCalls moves that on, never back.
	CallsSeen(ctx context.Context, user string) (int64, error)
	SeeCalls(ctx context.Context, user string, at int64) (changed bool, err error)
	// Export gives messages of all of somebody's chats with an ID above after,
	// by ID.
	Export(ctx context.Context, user string, after int64, limit int) ([]Message, error)
	// MayRead tells whether a message that somebody can see has the file.
	MayRead(ctx context.Context, user, file string) (bool, error)
	// FileUsed tells whether any message that was not deleted has the file.
	FileUsed(ctx context.Context, file string) (bool, error)
	// Sweep forgets at most limit messages from before a time (Unix
	// milliseconds), and says how many it did.
	Sweep(ctx context.Context, before int64, limit int) (int, error)
}

// Tx is a transaction that writes. ErrNotFound where there is nothing.
type Tx interface {
	Person(id string) (Person, error)
	// Chat gives a chat that nobody else changes until the transaction ends.
	Chat(key string) (Chat, error)
	// AddChat makes a chat, or gives the one that somebody else just made.
	AddChat(Chat) (Chat, error)
	SaveChat(Chat) error
	DropChat(id int64) error
	// Members gives everybody who is or was in a chat, the longest first.
	Members(chat int64) ([]Member, error)
	SaveMember(chat int64, m Member) error
	Message(chat int64, name string) (Message, error)
	AddMessage(chat int64, m Message) error
	SaveMessage(chat int64, m Message) error
	// Groups counts the groups that a person made.
	Groups(by string) (int, error)
}
