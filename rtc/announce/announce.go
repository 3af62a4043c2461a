// Package announce is about what administrators say to all, or to the people with a tag: a
// text that stands above everything until each person has acknowledged it, or a live
// attention call; and about who has seen it and who has not.
package announce

import (
	"context"
	"errors"
	"time"

	"fieldphone/rtc"
)

// MaxBody is the longest text, in bytes: it must fit a telephone's screen.
const MaxBody = 2000

// Keep is how many announcements are kept; older ones go as new ones come.
const Keep = 1000

// What the methods of a [Service] and a [Store] answer, wrapped or bare, besides failures.
var (
	// ErrNotFound: there is no such announcement, or it is not for this person.
	ErrNotFound = errors.New("no such announcement")
	// ErrTaken: the name is that of another announcement.
	ErrTaken = errors.New("another announcement has this name")
	// ErrName: the name is not one.
	ErrName = errors.New("the name must be 8 to 64 of A-Z a-z 0-9 _ -")
	// ErrBody: the text is empty, too long, or has characters that are not for reading.
	ErrBody = errors.New("the text must have 1 to 2000 bytes, and no control characters")
	// ErrNobody: nobody has the tag.
	ErrNobody = errors.New("nobody is there to hear it")
)

// EarlyError says that what is asked for was done a moment ago.
type EarlyError struct{ Wait time.Duration }

func (e *EarlyError) Error() string { return "this was done a moment ago" }

// Announcement is one thing that was said.
type Announcement struct {
	Name string // chosen by the client that made it
	From rtc.User
	Body string // empty for an attention call
	Tag  string // for whom; empty: for all
	At   time.Time

	Attention bool      // it was spoken
	Ended     time.Time // of an attention call; zero while it goes on
}

// Message is what people are told.
func (a Announcement) Message() *rtc.Announcement {
	return &rtc.Announcement{Announcement: a.Name, From: a.From, Body: a.Body, Tag: a.Tag, ServerTime: a.At.UnixMilli()}
}

// Entry is an announcement with how far it got.
type Entry struct {
	Announcement
	Seen, Of int       // of those for whom it is and who still have an account, or had seen it
	Mine     bool      // it is for the person who asks
	SeenAt   time.Time // when that person acknowledged it; zero: not yet
}

// Reader is somebody who has seen it.
type Reader struct {
	User rtc.User
	At   time.Time
}

// Store keeps announcements and for whom they are. Its methods are safe for concurrent use.
type Store interface {
	// Add keeps an announcement for some people. Where there is one of that name
	// already, it changes nothing and gives that one, and fresh is false.
	Add(ctx context.Context, a Announcement, audience []string) (kept Announcement, fresh bool, err error)
	// Include adds somebody to those for whom it is, unless they are. ErrNotFound.
	Include(ctx context.Context, name, user string) error
	// Acknowledge notes that somebody has seen it; first is false if they had.
	// ErrNotFound if it is not for them.
	Acknowledge(ctx context.Context, name, user string, at time.Time) (first bool, err error)
	// End notes that an attention call is over.
	End(ctx context.Context, name string, at time.Time) error
	// Missed gives the texts since a time that are neither for this person nor of them.
	Missed(ctx context.Context, user string, since time.Time) ([]Announcement, error)
	// Pending gives the texts that this person has not acknowledged, newest first.
	Pending(ctx context.Context, user string) ([]Announcement, error)
	// List gives the newest announcements as a person sees them: of everybody, or only
	// those for them.
	List(ctx context.Context, viewer string, everybodys bool, limit int) ([]Entry, error)
	// Entry gives one announcement. ErrNotFound.
	Entry(ctx context.Context, name string) (Entry, error)
	// Readers tells who has seen it, newest first, and who has not, by name.
	Readers(ctx context.Context, name string) (seen []Reader, missing []rtc.User, err error)
}

// People are those who have an account here and may sign in.
type People interface {
	Everybody(ctx context.Context) ([]string, error)
	Admins(ctx context.Context) ([]string, error)
	// Audience lists the people with a tag; none for a tag that nobody has.
	Audience(ctx context.Context, tag string) ([]string, error)
}

// Line reaches people who are connected.
type Line interface {
	// Tell sends a message to every device of some users. It returns at once.
	Tell(users []string, msg rtc.Message)
}
