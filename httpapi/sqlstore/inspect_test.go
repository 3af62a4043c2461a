package sqlstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fieldphone/httpapi/sqlstore"
)

// Ensure that inspecting makes nothing, sees what is there, also while a server has it
// open, and names what is wrong.
func TestInspectSQLite(t *testing.T) {
	dir := t.TempDir()
	cfg := sqlstore.Config{Dir: dir}
	state, err := sqlstore.Inspect(t.Context(), cfg)
	if err != nil || state.Exists {
		t.Errorf("before the first start: %+v, %v", state, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("it made %v", entries)
	}
	db, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	withUser(t, db.Accounts(), "anna")
	for _, open := range []bool{true, false} {
		state, err = sqlstore.Inspect(t.Context(), cfg)
		if err != nil || !state.Exists || state.Version == 0 || state.Version != state.Newest || state.Users != 1 || state.Bytes == 0 ||
			!strings.HasPrefix(state.Server, "SQLite 3.") || !strings.Contains(state.Where, dir) {
			t.Errorf("open %v: %+v, %v", open, state, err)
		}
		if open {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	path := filepath.Join(dir, "fieldphone.db")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(text[4096:], strings.Repeat("x", 8192))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Inspect(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "fieldphone.db") {
		t.Errorf("a damaged file: %v", err)
	}
}

// Ensure a database of a newer program is told from one that cannot be read.
func TestInspectNewer(t *testing.T) {
	cfg := sqlstore.Config{Dir: t.TempDir()}
	db, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	execSQL(t, cfg.Dir, `INSERT INTO schema_migrations (version, name, applied_at) VALUES (999, 'later', 0)`)
	if state, err := sqlstore.Inspect(t.Context(), cfg); !errors.Is(err, sqlstore.ErrNewer) || state.Version != 999 {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestInspectMySQLOutOfReach(t *testing.T) {
	_, err := sqlstore.Inspect(t.Context(), sqlstore.Config{DSN: "maria:hunter2@tcp(127.0.0.1:1)/site"})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "MySQL 127.0.0.1:1/site") {
		t.Errorf("got %v", err)
	}
}
