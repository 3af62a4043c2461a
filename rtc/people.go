package rtc

// Profile is what a person says of themselves, as others see it. A field that
// was never set is absent.
type Profile struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Line    string   `json:"line,omitempty"`    // such as "medic, tent 4"
	Tags    []string `json:"tags,omitempty"`    // groups of people
	Picture string   `json:"picture,omitempty"` // version of the picture; absent: there is none
	Quiet   bool     `json:"quiet,omitempty"`   // do not disturb: calls do not ring
	Gone    bool     `json:"gone,omitempty"`    // the account was deleted
}

// ProfileUpdate tells of profiles that are new or have changed.
type ProfileUpdate struct {
	People []Profile `json:"people"`
}

// Announcement is what an administrator has to say to all, or to those with a
// tag. It stands above everything until it is acknowledged.
type Announcement struct {
	Announcement string `json:"announcement"` // its name, chosen by the client
	From         User   `json:"from"`
	Body         string `json:"body"`
	Tag          string `json:"tag,omitempty"` // to whom; absent: to all
	ServerTime   int64  `json:"server_time"`
}

// AnnouncementSeen tells administrators, and the other devices of whoever
// acknowledged it, how many have.
type AnnouncementSeen struct {
	Announcement string `json:"announcement"`
	By           string `json:"by"` // user id of who just acknowledged it
	Seen         int    `json:"seen"`
	Of           int    `json:"of"`
}

func (*ProfileUpdate) Type() Type    { return "profile.update" }
func (*Announcement) Type() Type     { return "announcement" }
func (*AnnouncementSeen) Type() Type { return "announcement.seen" }

// What only the server sends needs no check.

// Validate implements Message.
func (*ProfileUpdate) Validate() error { return nil }

// Validate implements Message.
func (*Announcement) Validate() error { return nil }

// Validate implements Message.
func (*AnnouncementSeen) Validate() error { return nil }
