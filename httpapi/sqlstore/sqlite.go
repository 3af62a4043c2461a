package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFile is the name of the database in the data folder.
const sqliteFile = "fieldphone.db"

// sqliteReaders bounds the connections that read beside the one that writes.
const sqliteReaders = 4

// sqliteBusy is how long a statement waits for another process's lock.
const sqliteBusy = 5 * time.Second

func openSQLite(ctx context.Context, cfg Config) (*DB, error) {
	path, err := prepareSQLiteFile(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("SQLite: %w", err)
	}
	synchronous := "synchronous(NORMAL)"
	if cfg.Full {
		synchronous = "synchronous(FULL)"
	}
	write, err := sqlitePool(path, 1, synchronous)
	if err != nil {
		return nil, err
	}
	read, err := sqlitePool(path, sqliteReaders, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	db := &DB{
		read:  read,
		write: write,
		where: "SQLite " + path,
		dialect: dialect{
			name:     "sqlite",
			classify: classifySQLite,

			insertIgnore: "INSERT OR IGNORE", orderedJoin: "CROSS JOIN", like: likeSQLite,

			lockSchema: func(context.Context, *sql.Conn) (func(), error) { return func() {}, nil },
		},
	}
	if err := connectSQLite(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open %s: %w", path, err), db.Close())
	}
	return db, nil
}

// connectSQLite makes the first connection, which turns the file to WAL mode.
// SQLite does not wait for its lock there, so that is done here.
func connectSQLite(ctx context.Context, write *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, sqliteBusy)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := write.PingContext(ctx)
		if err == nil || sqliteCode(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}

// prepareSQLiteFile makes the folder and the file, readable by the owner
// alone; SQLite gives its journal the mode of the file.
func prepareSQLiteFile(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no data folder is given")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the data folder: %w", err)
	}
	path := filepath.Join(dir, sqliteFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("cannot write the database: %w", err)
	}
	defer file.Close()
	if err := file.Chmod(0o600); err != nil {
		return "", fmt.Errorf("cannot protect the database: %w", err)
	}
	return path, nil
}

func sqlitePool(path string, connections int, pragmas ...string) (*sql.DB, error) {
	pragmas = append([]string{
		fmt.Sprintf("busy_timeout(%d)", sqliteBusy.Milliseconds()),
		"journal_mode(WAL)",
		"foreign_keys(1)",
	}, pragmas...)
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}, "_error_rc": {"1"}}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	dsn := url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("SQLite: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// sqliteCode gives the primary result code, or SQLITE_OK for another error.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return sqlite3.SQLITE_OK
}

func classifySQLite(err error) failure {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
			return duplicate
		}
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return unavailable
	}
	return failed
}
