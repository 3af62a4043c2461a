package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"

	"go.uber.org/goleak"
)

// writerDir, in the environment, turns this test binary into a process that
// writes users there until it is killed.
const writerDir = "SQLSTORE_TEST_WRITER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir, os.Stdout))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func openSQLite(t *testing.T, dir string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: dir})
	if err != nil {
		t.Error(err)
		t.FailNow()
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSQLite(t *testing.T) {
	testContract(t, func(t *testing.T) backend {
		dir := filepath.Join(t.TempDir(), "data ?#%41", "deep")
		return backend{open: func(t *testing.T) *sqlstore.DB { return openSQLite(t, dir) }}
	})
}

func TestSQLiteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := openSQLite(t, dir)
	withUser(t, db.Accounts(), "anna")
	if got, want := db.String(), "SQLite "+filepath.Join(dir, "fieldphone.db"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	checkMode := func(name string, want os.FileMode) {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	checkMode(".", 0o700)
	checkMode("fieldphone.db", 0o600)
	checkMode("fieldphone.db-wal", 0o600)
	must(t, db.Close())
	must(t, os.Chmod(filepath.Join(dir, "fieldphone.db"), 0o644))
	openSQLite(t, dir)
	checkMode("fieldphone.db", 0o600)
}

func TestSQLiteCannotOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	garbage := filepath.Join(dir, "garbage")
	must(t, os.Mkdir(garbage, 0o700))
	must(t, os.WriteFile(filepath.Join(garbage, "fieldphone.db"), []byte(strings.Repeat("garbage ", 999)), 0o600))
	newer := filepath.Join(dir, "newer")
	must(t, openSQLite(t, newer).Close())
	execSQL(t, newer, `INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'future', 0)`)
	for name, test := range map[string]struct{ dir, want string }{
		"no folder":          {"", "no data folder is given"},
		"a file as folder":   {file, "cannot make the data folder"},
		"not a database":     {garbage, "file is not a database"},
		"of a newer version": {newer, "made by a newer fieldphone"},
		"a link to nowhere":  {danglingLink(t, dir), "cannot make the data folder"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: test.dir})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if err == nil {
				_ = db.Close()
			}
		})
	}
}

func danglingLink(t *testing.T, dir string) string {
	t.Helper()
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(filepath.Join(dir, "nowhere"), link))
	return link
}

// execSQL is what another program does to the file.
func execSQL(t testing.TB, dir string, statements ...string) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite", filepath.Join(dir, "fieldphone.db"))
	must(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	conn, err := pool.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	for _, statement := range statements {
		_, err := conn.ExecContext(t.Context(), statement)
		must(t, err)
	}
	return conn
}

func TestSQLiteLockedByAnother(t *testing.T) {
	dir := t.TempDir()
	store := openSQLite(t, dir).Accounts()
	withUser(t, store, "anna")
	conn := execSQL(t, dir, `BEGIN IMMEDIATE`)
	if _, _, err := store.User(t.Context(), "anna"); err != nil {
		t.Errorf("reading beside a writer: %v", err)
	}
	err := store.CreateUser(t.Context(), user("bert"), "hash")
	if !errors.Is(err, account.ErrUnavailable) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("writing beside a writer: got %v, want ErrUnavailable", err)
	}
	_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
	must(t, err)
	must(t, store.CreateUser(t.Context(), user("bert"), "hash"))
}

func TestSQLiteHonoursContext(t *testing.T) {
	dir := t.TempDir()
	store := openSQLite(t, dir).Accounts()
	execSQL(t, dir, `BEGIN IMMEDIATE`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := store.CreateUser(ctx, user("bert"), "hash"); err == nil {
		t.Error("wrote beside a writer")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("waited %v past its context", took)
	}
}

// TestSQLiteKill kills a process that writes, several times: every user that
// it said was written must be there, and the file must be whole.
func TestSQLiteKill(t *testing.T) {
	dir := t.TempDir()
	var written []string
	for range 3 {
		written = append(written, writeAndKill(t, dir, 25)...)
	}
	conn := execSQL(t, dir)
	var verdict string
	must(t, conn.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	if verdict != "ok" {
		t.Errorf("integrity_check says %q", verdict)
	}
	store := openSQLite(t, dir).Accounts()
	for _, id := range written {
		if _, _, err := store.User(t.Context(), id); err != nil {
			t.Errorf("%s is lost: %v", id, err)
		}
		if _, _, err := store.Session(t.Context(), "s-"+id); err != nil {
			t.Errorf("the session of %s is lost: %v", id, err)
		}
	}
}

// writeAndKill runs a writer, kills it after count users, and gives all that
// it reported.
func writeAndKill(t *testing.T, dir string, count int) []string {
	t.Helper()
	writer := exec.CommandContext(t.Context(), os.Args[0])
	writer.Env = append(os.Environ(), writerDir+"="+dir)
	writer.Stderr = os.Stderr
	out, err := writer.StdoutPipe()
	must(t, err)
	must(t, writer.Start())
	var written []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		written = append(written, lines.Text())
		if len(written) == count {
			must(t, writer.Process.Kill())
		}
	}
	_ = writer.Wait()
	if len(written) < count {
		t.Fatalf("the writer ended by itself after %d users", len(written))
	}
	return written
}

func writeForever(dir string, out io.Writer) error {
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{Dir: dir})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("u%d-%d", os.Getpid(), i)
		if err := db.Accounts().CreateUser(ctx, user(id), "hash"); err != nil {
			return err
		}
		if err := db.Accounts().CreateSession(ctx, session("s-"+id, id), "hash"); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, id); err != nil {
			return err
		}
	}
}

// TestSQLiteOpenedAtOnce: neither the turn to WAL mode nor the migrations
// trip over each other when several open a new file.
func TestSQLiteOpenedAtOnce(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		errs := make(chan error, 6)
		for range cap(errs) {
			go func() {
				db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: dir})
				if err == nil {
					err = db.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}
