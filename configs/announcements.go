package configs

import "time"

// Announcements is about what administrators say to all.
type Announcements struct {
	Keep             time.Duration `yaml:"keep"`              // how long newcomers are shown one
	LongestAttention time.Duration `yaml:"longest_attention"` // of an attention call
	MaxListeners     int           `yaml:"max_listeners"`     // devices in an attention call
}

func defaultAnnouncements() Announcements {
	return Announcements{Keep: 24 * time.Hour, LongestAttention: 10 * time.Minute, MaxListeners: 500}
}

func (a Announcements) check(ps *Problems) {
	ps.duration("announcements.keep", a.Keep, 0, 30*24*time.Hour)
	ps.duration("announcements.longest_attention", a.LongestAttention, 10*time.Second, 4*time.Hour)
	ps.between("announcements.max_listeners", a.MaxListeners, 1, 10_000)
}
