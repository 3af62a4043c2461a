package people

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fieldphone/rtc"
)

// List is everybody as one answer, made once for all who ask.
type List struct {
	JSON []byte
	Gzip []byte // of JSON
	ETag string // with its quotes; the same for the same JSON, on every server
}

// listed is a person in the list.
type listed struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
	Guest bool   `json:"guest,omitempty"`
	profileRest
}

// profileRest is what rtc.Profile has besides.
type profileRest struct {
	Line    string   `json:"line,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	Picture string   `json:"picture,omitempty"`
	Quiet   bool     `json:"quiet,omitempty"`
	Gone    bool     `json:"gone,omitempty"`
}

func restOf(p rtc.Profile) profileRest {
	return profileRest{p.Line, p.Tags, p.Picture, p.Quiet, p.Gone}
}

// List gives everybody who can sign in and, for old conversations, deleted
// accounts, by id. Guests who are gone are not in it: they come and go by the
// thousand.
func (s *Service) List() (*List, error) {
	s.endGuests()
	s.mu.RLock()
	list := s.list
	s.mu.RUnlock()
	if list != nil {
		return list, nil
	}
	s.mu.Lock() // also so that of many who ask at once one makes it
	defer s.mu.Unlock()
	if s.list != nil {
		return s.list, nil
	}
	now := s.cfg.Now()
	everybody := []listed{}
	for _, p := range s.people {
		over := p.over(now)
		if over && p.guest() || !over && p.Disabled {
			continue
		}
		profile := p.profile(now)
		everybody = append(everybody, listed{p.ID, profile.Name, p.Admin && !over, p.guest(), restOf(profile)})
	}
	slices.SortFunc(everybody, func(a, b listed) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(struct {
		Users []listed `json:"users"`
	}{everybody})
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	sum := sha256.Sum256(text)
	s.list = &List{JSON: text, Gzip: packed.Bytes(), ETag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	return s.list, nil
}
