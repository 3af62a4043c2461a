package main

import (
	"context"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"
	"fieldphone/rtc/announce"
)

func (s *server) announceConfig() announce.Config {
	return announce.Config{
		Store: s.db.Announcements(), People: audience{s.accounts, s.people}, Line: s.hub, Keep: s.cfg.Announcements.Keep, Now: time.Now, Logger: s.log,
	}
}

// audience are the people that announcements are for.
type audience struct {
	accounts *account.Service
	people   *people.Service
}

// Everybody implements announce.People.
func (a audience) Everybody(ctx context.Context) ([]string, error) {
	return a.those(ctx, func(account.User) bool { return true })
}

// Admins implements announce.People.
func (a audience) Admins(ctx context.Context) ([]string, error) {
	return a.those(ctx, func(u account.User) bool { return u.Admin })
}

// Audience implements announce.People.
func (a audience) Audience(_ context.Context, tag string) ([]string, error) {
	return a.people.Tagged(tag), nil
}

func (a audience) those(ctx context.Context, wanted func(account.User) bool) ([]string, error) {
	users, err := a.accounts.Users(ctx)
	var ids []string
	for _, u := range users {
		if !u.Disabled && wanted(u) {
			ids = append(ids, u.ID)
		}
	}
	return ids, err
}
