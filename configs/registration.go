package configs

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Registration is about who may join.
type Registration struct {
	Policy         string        `yaml:"policy"` // open, invite or closed
	Guests         bool          `yaml:"guests"` // people may join with only a name
	GuestTTL       time.Duration `yaml:"guest_ttl"`
	MaxGuests      int           `yaml:"max_guests"`
	UsersMayInvite bool          `yaml:"users_may_invite"` // under policy invite; under open everybody may
	InviteTTL      time.Duration `yaml:"invite_ttl"`       // of an invite that names none
}

func defaultRegistration() Registration {
	return Registration{Policy: "open", Guests: true, GuestTTL: 24 * time.Hour, MaxGuests: 2000, InviteTTL: 24 * time.Hour}
}

func (r Registration) check(ps *Problems) {
	const longest = 30 * 24 * time.Hour
	ps.oneOf("registration.policy", r.Policy, "open", "invite", "closed")
	ps.duration("registration.guest_ttl", r.GuestTTL, time.Minute, longest)
	ps.between("registration.max_guests", r.MaxGuests, 1, 100_000)
	ps.duration("registration.invite_ttl", r.InviteTTL, time.Minute, longest)
}

func checkName(ps *Problems, name string) {
	const longest = 64
	if utf8.RuneCountInString(name) > longest || strings.ContainsFunc(name, unicode.IsControl) {
		ps.add("name", name, "it is shown in one line to everybody", "use at most 64 characters and no line break")
	}
}
