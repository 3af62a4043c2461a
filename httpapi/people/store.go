package people

import (
	"context"
	"time"

	"fieldphone/httpapi/account"
)

// Person is what is kept of somebody, and what of the account others see.
type Person struct {
	ID         string
	Name       string // empty once the account is deleted
	Admin      bool
	Disabled   bool
	GuestUntil time.Time // when a guest's account ends; zero for everybody else
	Line       string
	Tags       []string
	Picture    string // version; empty: none
	Quiet      bool
	GoneAt     time.Time // when the account was deleted; zero: it was not
	Rev        int64     // grows with every change of anybody
}

// over says whether the account is deleted or a guest's whose time is over.
func (p *Person) over(now time.Time) bool {
	return !p.GoneAt.IsZero() || !p.GuestUntil.IsZero() && !now.Before(p.GuestUntil)
}

func (p *Person) guest() bool { return account.IsGuestID(p.ID) }

// Change is what changes of a person; nil stays as it is.
type Change struct {
	Name  *string
	Line  *string
	Tags  *[]string
	Quiet *bool
}

// Contacts are the people whom somebody marked, each list ordered.
type Contacts struct {
	Favourites []string `json:"favourites"`
	Blocked    []string `json:"blocked"`
}

// ContactChange is what changes between two people; nil stays as it is.
type ContactChange struct {
	Favourite *bool
	Blocked   *bool
}

// Store keeps people. It answers as an [account.Store] does, with
// account.ErrNotFound for people who do not exist or are gone and with
// account.ErrUnavailable. Every method is safe for concurrent use, also by several
// processes on one database, and is atomic.
type Store interface {
	// Since gives those whose Rev is above after, ordered by Rev: all who ever
	// had an account if after is negative.
	Since(ctx context.Context, after int64) ([]Person, error)
	// Blocks gives whom each of the owners has blocked, of all owners if none
	// are named.
	Blocks(ctx context.Context, owners ...string) (map[string][]string, error)
	// ChangePerson carries out a change.
	ChangePerson(ctx context.Context, id string, change Change) error
	// SetPicture replaces the picture; version is empty to have none.
	SetPicture(ctx context.Context, id, version string, jpeg []byte) error
	// Picture gives the picture and its version.
	Picture(ctx context.Context, id string) (version string, jpeg []byte, err error)
	// Contacts gives whom the owner has marked.
	Contacts(ctx context.Context, owner string) (Contacts, error)
	// ChangeContact marks somebody. account.ErrFull if the owner has marked
	// most people already.
	ChangeContact(ctx context.Context, owner, other string, change ContactChange, most int) error
}
