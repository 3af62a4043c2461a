package people

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

// Person gives somebody as last known; false if nobody has, or had, the id.
func (s *Service) Person(id string) (Person, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.people[id]; p != nil {
		return *p, true
	}
	return Person{}, false
}

// Refuses says why a call to the callee is not to ring: blocked, if either has
// blocked the other, or quiet, if the callee is not to be disturbed; empty if
// it may. It answers at once.
func (s *Service) Refuses(callee, caller string) rtc.EndReason {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.apart(callee, caller) {
		return rtc.EndBlocked
	}
	if p := s.people[callee]; p != nil && p.Quiet {
		return rtc.EndQuiet
	}
	return ""
}

// Blocked says whether nothing may pass from who to by because one has blocked
// the other: whoever blocks somebody is not to write to them either, since no
// answer could come. It answers at once.
func (s *Service) Blocked(by, who string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.apart(by, who)
}

// Tagged gives those who can sign in and have a tag, whichever way it is
// written, by id.
func (s *Service) Tagged(tag string) []string {
	clean, err := CleanTags([]string{tag})
	if err != nil {
		return nil // nobody can have it
	}
	now := s.cfg.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for id, p := range s.people {
		if !p.over(now) && !p.Disabled && slices.Contains(p.Tags, clean[0]) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// apart: the caller holds mu.
func (s *Service) apart(a, b string) bool {
	_, aBlocked := s.blocks[a][b]
	_, bBlocked := s.blocks[b][a]
	return aBlocked || bBlocked
}

// Change changes what somebody says of themselves, all of it or nothing, and
// gives the person. Its errors are invalid_name, invalid_line, invalid_tags,
// rate_limited, not_found and store_unavailable.
func (s *Service) Change(ctx context.Context, id string, change Change) (Person, error) {
	if err := s.mayChange(id); err != nil {
		return Person{}, err
	}
	change, err := change.clean()
	if err != nil {
		return Person{}, err
	}
	return s.written(ctx, id, s.store.ChangePerson(ctx, id, change))
}

// SetTags gives somebody other tags for an administrator, who is not slowed
// down, and gives the person before and after. Its errors are invalid_tags,
// not_found and store_unavailable.
func (s *Service) SetTags(ctx context.Context, id string, tags []string) (before, after Person, err error) {
	change, err := Change{Tags: &tags}.clean()
	if err != nil {
		return Person{}, Person{}, err
	}
	before, ok := s.Person(id)
	if !ok {
		return Person{}, Person{}, account.StoreFailure("look for person", account.ErrNotFound)
	}
	after, err = s.written(ctx, id, s.store.ChangePerson(ctx, id, change))
	return before, after, err
}

// written gives the person as it became by a write to the store.
func (s *Service) written(ctx context.Context, id string, err error) (Person, error) {
	if err != nil {
		return Person{}, account.StoreFailure("change person", err)
	}
	if err := s.Refresh(ctx); err != nil {
		return Person{}, err
	}
	p, ok := s.Person(id)
	if !ok {
		return Person{}, account.StoreFailure("look for person", account.ErrNotFound)
	}
	return p, nil
}

// Contacts gives whom somebody has marked. Its error is store_unavailable.
func (s *Service) Contacts(ctx context.Context, owner string) (Contacts, error) {
	contacts, err := s.store.Contacts(ctx, owner)
	if err != nil {
		return Contacts{}, account.StoreFailure("read contacts", err)
	}
	return contacts, nil
}

// ChangeContact marks somebody and gives all who are marked. Its errors are
// not_yourself, too_many_contacts, not_found, rate_limited and store_unavailable.
func (s *Service) ChangeContact(ctx context.Context, owner, other string, change ContactChange) (Contacts, error) {
	if owner == other {
		return Contacts{}, &account.Error{Code: CodeNotYourself, Field: "id", Message: "This is you. Choose somebody else."}
	}
	if err := s.mayChange(owner); err != nil {
		return Contacts{}, err
	}
	err := s.store.ChangeContact(ctx, owner, other, change, MaxContacts)
	switch {
	case errors.Is(err, account.ErrFull):
		return Contacts{}, &account.Error{
			Code: CodeTooManyContacts, Message: fmt.Sprintf("You have marked %d people, which is the most. Take somebody off first.", MaxContacts),
		}
	case err != nil:
		return Contacts{}, account.StoreFailure("change contact", err)
	}
	if err := s.Refresh(ctx); err != nil {
		return Contacts{}, err
	}
	return s.Contacts(ctx, owner)
}
