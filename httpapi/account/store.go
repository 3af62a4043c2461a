package account

import (
	"context"
	"errors"
	"time"
)

// What a [Store] answers, wrapped or bare, besides its own failures.
var (
	// ErrNotFound: the user or the session does not exist.
	ErrNotFound = errors.New("not found")
	// ErrTaken: a user with this id exists already.
	ErrTaken = errors.New("id is taken")
	// ErrChanged: what the caller decided upon is not true any more; nothing
	// was written.
	ErrChanged = errors.New("changed meanwhile")
	// ErrUnavailable: the database is locked or out of reach; trying later
	// may help.
	ErrUnavailable = errors.New("database unavailable")
)

// User is an account, without its password.
type User struct {
	ID        string // see [NormalizeID]; never changes
	Name      string // see [CleanName]; text, never markup
	Admin     bool
	Disabled  bool
	CreatedAt time.Time // UTC, whole milliseconds
}

// Session is one sign-in.
type Session struct {
	ID        string    // the token's jti
	UserID    string    // the token's sub
	ExpiresAt time.Time // UTC, whole seconds; the token's exp
}

// Grant is what a sign-in gives: a session, the token that proves it, and its
// user.
type Grant struct {
	Token   string
	Session Session
	User    User
}

// EndedSession is a session that was ended before its time.
type EndedSession struct {
	Session
	// Seq grows with every end in the whole store, in the order in which the
	// ends become visible to readers.
	Seq int64
}

// PasswordChange replaces a user's password hash and ends every session of
// the user, in one transaction.
type PasswordChange struct {
	UserID string
	Hash   string
	// IfHash, when not empty, is the hash that must still be there.
	IfHash string
	// Next, when not nil, is created in the same transaction.
	Next *Session
}

// Store keeps users and sessions. Every method is safe for concurrent use,
// also by several processes on one database, and is atomic. Methods that end
// sessions return exactly those that this very call ended.
type Store interface {
	// CreateUser adds a user. ErrTaken if the id exists.
	CreateUser(ctx context.Context, user User, hash string) error
	// User gives the user and the password hash. ErrNotFound.
	User(ctx context.Context, id string) (User, string, error)
	// Users gives every user, ordered by id.
	Users(ctx context.Context) ([]User, error)
	// RenameUser replaces the name and gives the user. ErrNotFound.
	RenameUser(ctx context.Context, id, name string) (User, error)
	// ReplacePassword carries out a change. ErrNotFound; ErrChanged, and no
	// change, if the hash is not IfHash, or if there is a Next and the user
	// is disabled.
	ReplacePassword(ctx context.Context, change PasswordChange) ([]EndedSession, error)
	// SetDisabled sets the flag, and ends every session if it is set.
	// ErrNotFound.
	SetDisabled(ctx context.Context, id string, disabled bool) ([]EndedSession, error)

	// CreateSession adds a session. ErrChanged, and no session, unless the
	// user exists, is not disabled and still has this password hash.
	CreateSession(ctx context.Context, session Session, hash string) error
	// Session gives the session and whether it was ended. ErrNotFound.
	Session(ctx context.Context, id string) (Session, bool, error)
	// ExtendSession moves the expiry to at least until and gives the
	// session. ErrChanged if it is ended or gone.
	ExtendSession(ctx context.Context, id string, until time.Time) (Session, error)
	// EndSession ends the session, or gives nothing if it was ended already.
	// ErrNotFound.
	EndSession(ctx context.Context, id string) ([]EndedSession, error)
	// EndedSessions gives at most limit ended sessions with a Seq above
	// after, ordered by Seq.
	EndedSessions(ctx context.Context, after int64, limit int) ([]EndedSession, error)
	// DeleteSessions forgets the sessions, ended or not, that expired before
	// the given time, and says how many.
	DeleteSessions(ctx context.Context, expiredBefore time.Time) (int64, error)
}
