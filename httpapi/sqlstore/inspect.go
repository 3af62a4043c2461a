package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// State is what a database says about itself.
type State struct {
	Where   string // without secrets
	Server  string // its program and version
	Exists  bool   // false for a SQLite file that the first start will make
	Version int    // of the schema; 0 before the first start
	Newest  int    // of the schema, as this program knows it
	Users   int    // accounts, 0 before the first start
	Bytes   int64  // of a SQLite file
	Loses   bool   // a MySQL server that may lose the last commits when the power fails
}

// thoroughly is the largest SQLite file, in bytes, whose indexes are looked at.
const thoroughly = 64 << 20

// ErrNewer means that a newer program has changed the schema.
var ErrNewer = errors.New("the database was made by a newer fieldphone: use the newer one, or restore a backup from before")

// Inspect asks a database without changing it: no file is made, no migration is run. It
// works while a server uses the database. Of a SQLite file it also checks the structure.
func Inspect(ctx context.Context, cfg Config) (State, error) {
	if cfg.DSN != "" {
		return inspectMySQL(ctx, cfg.DSN)
	}
	return inspectSQLite(ctx, cfg.Dir)
}

func inspectSQLite(ctx context.Context, dir string) (State, error) {
	path, err := filepath.Abs(filepath.Join(dir, sqliteFile))
	if err != nil {
		return State{}, fmt.Errorf("sqlstore: %w", err)
	}
	state := State{Where: "SQLite " + path}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return state, nil
	}
	if err != nil {
		return state, fmt.Errorf("sqlstore: %w", err)
	}
	state.Exists, state.Bytes = true, info.Size()
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	// Not mode=ro, which would leave the files of the journal behind.
	query := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", sqliteBusy.Milliseconds()), "query_only(1)"}}
	dsn := url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return state, fmt.Errorf("sqlstore: SQLite: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(1)
	defer func() { _ = pool.Close() }()
	var verdict string
	check := `PRAGMA quick_check(1)`
	if state.Bytes <= thoroughly {
		check = `PRAGMA integrity_check(1)` // the indexes as well, which takes its time
	}
	if err := pool.QueryRowContext(ctx, check).Scan(&verdict); err != nil {
		return state, fmt.Errorf("sqlstore: %s cannot be read: %w", state.Where, err)
	}
	if verdict != "ok" {
		return state, fmt.Errorf("sqlstore: %s is damaged: %s", state.Where, verdict)
	}
	return state, state.ask(ctx, pool, "SQLite ", `SELECT sqlite_version()`, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_migrations'`, "sqlite")
}

func inspectMySQL(ctx context.Context, dsn string) (State, error) {
	settings, err := parseMySQL(dsn)
	if err != nil {
		return State{}, fmt.Errorf("sqlstore: %w", err)
	}
	state := State{Where: fmt.Sprintf("MySQL %s/%s", settings.Addr, settings.DBName), Exists: true}
	settings.Logger = driverLog{slog.New(slog.DiscardHandler)}
	settings.Timeout = min(settings.Timeout, 4*time.Second)
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return state, errors.New("sqlstore: the driver refuses the DSN; check its parameters")
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(1)
	defer func() { _ = pool.Close() }()
	if err := state.ask(ctx, pool, "", `SELECT VERSION()`,
		`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'`, "mysql"); err != nil {
		return state, err
	}
	var flush int
	if err := pool.QueryRowContext(ctx, `SELECT @@innodb_flush_log_at_trx_commit`).Scan(&flush); err != nil {
		return state, fmt.Errorf("sqlstore: %s: ask when commits are on the disk: %w", state.Where, err)
	}
	state.Loses = flush != 1
	return state, nil
}

func (s *State) ask(ctx context.Context, pool *sql.DB, name, version, migrated, dialect string) error {
	migrations, err := migrationsFor(dialect)
	if err != nil {
		return err
	}
	s.Newest = migrations[len(migrations)-1].version
	if err := pool.QueryRowContext(ctx, version).Scan(&s.Server); err != nil {
		return fmt.Errorf("sqlstore: %s does not answer: %w", s.Where, err)
	}
	s.Server = name + s.Server
	var tables int
	if err := pool.QueryRowContext(ctx, migrated).Scan(&tables); err != nil {
		return fmt.Errorf("sqlstore: %s: read the version of the schema: %w", s.Where, err)
	}
	if tables == 0 {
		return nil
	}
	if err := pool.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&s.Version); err != nil {
		return fmt.Errorf("sqlstore: %s: read the version of the schema: %w", s.Where, err)
	}
	if s.Version > s.Newest {
		return fmt.Errorf("sqlstore: %w (version %d, this one knows %d)", ErrNewer, s.Version, s.Newest)
	}
	if s.Version == 0 {
		return nil
	}
	if err := pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM users`).Scan(&s.Users); err != nil {
		return fmt.Errorf("sqlstore: %s: count the accounts: %w", s.Where, err)
	}
	return nil
}
