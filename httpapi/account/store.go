package account

import (
	"context"
	"errors"
	"strings"
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
	// ErrFull: as many as are allowed exist already; nothing was written.
	ErrFull = errors.New("full")
	// ErrLastAdmin: nobody would be left who can administer; nothing was
	// written.
	ErrLastAdmin = errors.New("the last administrator")
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
	Gone      bool      // deleted; the id stays taken
	CreatedAt time.Time // UTC, whole milliseconds
	// GuestUntil is when a guest's account ends (UTC, whole milliseconds);
	// zero for everybody else.
	GuestUntil time.Time
}

// Guest says whether the user gave only a name and has no password.
func (u User) Guest() bool { return !u.GuestUntil.IsZero() }

// IsGuestID says whether an id is a guest's, or was one's.
func IsGuestID(id string) bool { return strings.HasPrefix(id, guestPrefix) }

// gone says whether the account was deleted, or is a guest's whose time is over.
func (u User) gone(now time.Time) bool { return u.Gone || u.Guest() && !now.Before(u.GuestUntil) }

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

// UserChange is what an administrator changes about a user; nil stays as it
// is.
type UserChange struct {
	Name     *string
	Admin    *bool
	Disabled *bool
}

// Of gives the user as changed.
func (c UserChange) Of(u User) User {
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.Admin != nil {
		u.Admin = *c.Admin
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	return u
}

// Changed is a user before and after a change, and the sessions that it
// ended.
type Changed struct {
	Before, After User
	Ends          []EndedSession
}

// Admission adds somebody who joins by themselves, in one transaction.
type Admission struct {
	User User
	Hash string // of the password; empty for a guest
	// InviteHash, when not empty, is the invite of which one use is taken.
	InviteHash string
	// Session, when not nil, is opened as well.
	Session *Session
	Now     time.Time
	// MaxGuests bounds the guests whose time is not over; 0 for no bound.
	MaxGuests int
}

// Store keeps users, sessions and invites. Every method is safe for concurrent use,
// also by several processes on one database, and is atomic. Methods that end
// sessions return exactly those that this very call ended.
type Store interface {
	// CreateUser adds a user. ErrTaken if the id exists.
	CreateUser(ctx context.Context, user User, hash string) error
	// Admit carries out an admission. ErrTaken if the id exists; ErrChanged
	// if the invite has no use left, is over or does not exist; ErrFull if
	// there are MaxGuests. Of concurrent admissions that want the last use of
	// an invite exactly one gets it.
	Admit(ctx context.Context, admission Admission) error
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
	// SetDisabled sets the flag, and ends every session and revokes every
	// invite of the user if it is set.
	// ErrNotFound.
	SetDisabled(ctx context.Context, id string, disabled bool) ([]EndedSession, error)

	// ChangeUser carries out a change; a user who is disabled by it is treated
	// as by SetDisabled. ErrNotFound; ErrLastAdmin if it takes the last
	// administrator who is not disabled.
	ChangeUser(ctx context.Context, id string, change UserChange) (Changed, error)

	// DeleteUser ends every session of the user and takes away everything but
	// the id, which stays taken. ErrNotFound, also if it was done before;
	// ErrLastAdmin; ErrChanged if the password hash is not ifHash.
	DeleteUser(ctx context.Context, id, ifHash string, at time.Time) ([]EndedSession, error)

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
	// EndSessions ends every session of the user. ErrNotFound.
	EndSessions(ctx context.Context, userID string) ([]EndedSession, error)
	// EndedSessions gives at most limit ended sessions with a Seq above
	// after, ordered by Seq.
	EndedSessions(ctx context.Context, after int64, limit int) ([]EndedSession, error)
	// DeleteSessions forgets the sessions, ended or not, that expired before
	// the given time, and says how many.
	DeleteSessions(ctx context.Context, expiredBefore time.Time) (int64, error)

	InviteStore
	GuestStore

	// HasAdmin says whether any user is an administrator.
	HasAdmin(ctx context.Context) (bool, error)
	// MakeFirstAdmin makes the user an administrator. ErrChanged if there is
	// one already, ErrNotFound.
	MakeFirstAdmin(ctx context.Context, id string) (User, error)
}

// InviteStore is the part of a [Store] that keeps invites.
type InviteStore interface {
	// CreateInvite adds an invite under the hash of its code. ErrNotFound
	// unless CreatedBy is empty or names a user who is not disabled; ErrFull
	// if that user has mostOpen invites that can still be used at CreatedAt.
	CreateInvite(ctx context.Context, invite Invite, hash string, mostOpen int) error
	// Invite gives the invite with this hash. ErrNotFound.
	Invite(ctx context.Context, hash string) (Invite, error)
	// Invites gives the newest invites of a user, or with an empty createdBy
	// of everybody, at most limit.
	Invites(ctx context.Context, createdBy string, limit int) ([]Invite, error)
	// RevokeInvite makes the invite useless for good; createdBy, when not
	// empty, is whose it must be. ErrNotFound.
	RevokeInvite(ctx context.Context, id, createdBy string) error
	// DeleteInvites forgets the invites that expired before the given time,
	// and says how many.
	DeleteInvites(ctx context.Context, expiredBefore time.Time) (int64, error)
}

// GuestStore is the part of a [Store] that lets guests go.
type GuestStore interface {
	// EndGuest moves the end of a guest's account to the given time, if that
	// is earlier. Other users stay as they are.
	EndGuest(ctx context.Context, id string, until time.Time) error
	// DeleteGuests deletes as DeleteUser does the guests whose time was over
	// before the given one and of whom no session is kept any more, and says
	// how many.
	DeleteGuests(ctx context.Context, endedBefore time.Time) (int64, error)
}
