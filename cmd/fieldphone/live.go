package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/adminlog"
	"fieldphone/turnsrv"
)

// live changes settings while the server runs: all parts of the server take a change, and
// it is saved and logged, or nothing of it happens.
type live struct {
	started configs.Config // what the server was built with; the rest takes a restart
	reload  func() (configs.Loaded, error)
	hungUp  func() bool // the terminal that the server was started from is gone
	parts   []livePart
	effects func(before, after configs.Config) ([]httpapi.SettingProblem, []httpapi.Effect)
	entries adminlog.Store
	node    string
	log     *slog.Logger
	now     func() time.Time

	mu     sync.Mutex
	loaded configs.Loaded
	last   httpapi.SettingsChanged // who changed something last
}

// livePart is a part of the server that takes settings while it runs. What it has taken
// once it takes again, so that a change can be put back.
type livePart struct {
	name string
	take func(configs.Config) error
}

var _ httpapi.Settings = (*live)(nil)

// running is the configuration that holds: what the server was built with, with the live
// settings of loaded.
func (l *live) running(loaded configs.Loaded) configs.Config {
	return l.started.WithLive(loaded.Config)
}

// config is the configuration that holds now.
func (l *live) config() configs.Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running(l.loaded)
}

// Settings implements httpapi.Settings.
func (l *live) Settings() httpapi.SettingsView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return httpapi.SettingsView{
		Revision: revisionOf(l.loaded), Values: l.loaded.Config.Settings(), Fixed: l.loaded.Fixed(),
		Defaults: configs.Default().Settings(),
	}
}

// revisionOf is the same for the same settings, also after a restart.
func revisionOf(loaded configs.Loaded) string {
	text, _ := json.Marshal(loaded.Config.Settings()) // of values that were just made
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:8])
}

// Preview implements httpapi.Settings.
func (l *live) Preview(settings json.RawMessage) ([]httpapi.SettingProblem, []httpapi.Effect) {
	l.mu.Lock()
	loaded := l.loaded
	l.mu.Unlock()
	next, err := loaded.Change(settings)
	if err != nil {
		return problemsOf(err), nil
	}
	problems, effects := l.effects(l.running(loaded), l.running(next))
	if len(problems) > 0 {
		return problems, nil
	}
	return nil, effects
}

// Change implements httpapi.Settings.
func (l *live) Change(ctx context.Context, admin adminlog.Admin, revision string, settings json.RawMessage) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if revision != revisionOf(l.loaded) {
		changed := l.last
		return &changed
	}
	return l.change(ctx, settings, adminlog.Entry{Admin: admin, Action: "settings.change"})
}

// Undo implements httpapi.Settings.
func (l *live) Undo(ctx context.Context, admin adminlog.Admin, entry adminlog.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var after map[string]json.RawMessage
	if err := json.Unmarshal(entry.After, &after); err != nil {
		return fmt.Errorf("entry %d of the admin log: %w", entry.ID, err)
	}
	now := l.loaded.Config.Settings()
	var overtaken []string
	for name, value := range after {
		if !bytes.Equal(value, now[name]) {
			overtaken = append(overtaken, name)
		}
	}
	if len(overtaken) > 0 {
		slices.Sort(overtaken)
		return &httpapi.Overtaken{Keys: overtaken}
	}
	return l.change(ctx, entry.Before, adminlog.Entry{Admin: admin, Action: "settings.change", Undoes: entry.ID})
}

// change is called with the lock held.
func (l *live) change(ctx context.Context, settings json.RawMessage, entry adminlog.Entry) error {
	next, err := l.loaded.Change(settings)
	if err != nil {
		return &httpapi.SettingsRefused{Problems: problemsOf(err)}
	}
	if changed, _ := configs.Differing(l.loaded.Config, next.Config); len(changed) == 0 {
		return nil
	}
	if problems, _ := l.effects(l.running(l.loaded), l.running(next)); len(problems) > 0 {
		return &httpapi.SettingsRefused{Problems: problems}
	}
	return l.install(ctx, next, entry, true)
}

// install makes every part take the settings of next, saves them and writes the entry; if
// any of that fails, all is as before.
func (l *live) install(ctx context.Context, next configs.Loaded, entry adminlog.Entry, save bool) error {
	before := l.loaded
	if err := l.take(before, next); err != nil {
		return err
	}
	var err error
	if save {
		if err = next.Save(); err != nil {
			return errors.Join(err, l.take(next, before))
		}
	}
	entry.At, entry.Node = l.now(), l.node
	if entry.Before, entry.After, err = differences(before.Config, next.Config); err == nil {
		_, err = l.entries.Append(ctx, entry)
	}
	if err != nil {
		err = errors.Join(err, l.take(next, before))
		if save {
			err = errors.Join(err, before.Save())
		}
		return err
	}
	l.loaded = next
	l.last = httpapi.SettingsChanged{By: entry.Admin, At: entry.At}
	l.log.Info("settings changed", "admin", entry.Admin.ID, "before", string(entry.Before), "after", string(entry.After), "undoes", entry.Undoes)
	return nil
}

// take hands the settings of next to every part; where one refuses, those before it get the
// earlier ones back.
func (l *live) take(before, next configs.Loaded) error {
	for i, part := range l.parts {
		err := part.take(l.running(next))
		if err == nil {
			continue
		}
		for _, done := range slices.Backward(l.parts[:i]) {
			err = errors.Join(err, done.take(l.running(before)))
		}
		if wrong, ok := errors.AsType[*turnsrv.SettingsError](err); ok {
			return &httpapi.SettingsRefused{Problems: relayProblems(wrong)}
		}
		return fmt.Errorf("%s: %w", part.name, err)
	}
	return nil
}

// takeAgain hands one part the settings that hold, because something else that it goes by has
// changed.
func (l *live) takeAgain(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, part := range l.parts {
		if part.name == name {
			return part.take(l.running(l.loaded))
		}
	}
	return fmt.Errorf("no part of the server is called %s", name)
}

// differences are the live settings that differ, by name, as JSON objects.
func differences(before, after configs.Config) (was, is json.RawMessage, err error) {
	changed, _ := configs.Differing(before, after)
	old, fresh := before.Settings(), after.Settings()
	from, to := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, name := range changed {
		from[name], to[name] = old[name], fresh[name]
	}
	was, err = json.Marshal(from)
	if err != nil {
		return nil, nil, err
	}
	is, err = json.Marshal(to)
	return was, is, err
}

func problemsOf(err error) []httpapi.SettingProblem {
	var problems configs.Problems
	if !errors.As(err, &problems) {
		return []httpapi.SettingProblem{{Code: "invalid", Message: err.Error()}}
	}
	out := make([]httpapi.SettingProblem, len(problems))
	for i, p := range problems {
		out[i] = httpapi.SettingProblem{Key: configs.SettingName(p.Key), Code: p.Code, Message: p.Rule + "; " + p.Fix}
	}
	return out
}

func relayProblems(wrong *turnsrv.SettingsError) []httpapi.SettingProblem {
	out := make([]httpapi.SettingProblem, len(wrong.Problems))
	for i, p := range wrong.Problems {
		out[i] = httpapi.SettingProblem(p)
	}
	return out
}

// lastChange finds out who changed the settings last, before this start.
func (l *live) lastChange(ctx context.Context) error {
	const enough = 200
	entries, err := l.entries.Entries(ctx, 0, enough)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Node == l.node && (e.Action == "settings.change" || e.Action == "settings.reload") {
			l.last = httpapi.SettingsChanged{By: e.Admin, At: e.At}
			break
		}
	}
	return nil
}
