package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
)

// Config says which database to open.
type Config struct {
	// DSN is empty for SQLite, or names a MySQL or MariaDB database:
	// mysql://user:password@host:3306/name?param=value,
	// mysql://user:password@unix(/path/to/socket)/name (user and password
	// percent-encoded), or a DSN of the go-sql-driver. It is a secret.
	DSN string
	// Dir is the folder of SQLite's file fieldphone.db; it is made if it is
	// missing. Not used with a DSN.
	Dir string
	// Full makes SQLite wait at each commit until the disk has it (PRAGMA
	// synchronous = FULL); without, the last moments may be lost when the power
	// fails, but never when the process is killed. In MySQL its own
	// innodb_flush_log_at_trx_commit decides; see [State].
	Full bool
	// Logger takes what the drivers have to say; default: discards.
	Logger *slog.Logger
}

// DB is an open database, with its schema up to date. It is safe for
// concurrent use.
type DB struct {
	read    *sql.DB
	write   *sql.DB // the same as read, unless the dialect has one writer only
	dialect dialect
	where   string
}

// dialect is what differs between the databases.
type dialect struct {
	name      string // in the names of migration files
	forUpdate string // ends a SELECT whose rows must not change before the commit
	classify  func(error) failure
	// insertIgnore begins an INSERT that does nothing if the row is there.
	insertIgnore string
	// orderedJoin reads the left table first, in the order of its index.
	orderedJoin string
	// like is a condition that a column has a text in it, whatever the case.
	like func(column, text string) (condition string, args []any)
	// lockSchema keeps other processes from migrating until unlock is called.
	lockSchema func(context.Context, *sql.Conn) (unlock func(), err error)
}

// failure is the kind of an error of a driver.
type failure int

const (
	failed      failure = iota
	duplicate           // a unique key exists
	conflict            // lost against another transaction; repeating helps
	unavailable         // locked, out of reach or unable to write
)

// Open opens the database and brings its schema up to date. Several processes
// may do so at once. It fails with a sentence for the administrator, without
// secrets.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	open := openMySQL
	if cfg.DSN == "" {
		open = openSQLite
	}
	db, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlstore: %s: %w", db, err), db.Close())
	}
	return db, nil
}

// String says which database it is, without secrets.
func (db *DB) String() string { return db.where }

// Ping asks the database whether it answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fmt.Errorf("sqlstore: %s does not answer: %w", db, err)
	}
	return nil
}

// Close ends all connections; what is running is waited for.
func (db *DB) Close() error {
	if db.read == db.write {
		return db.write.Close()
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// maxTries bounds how often a transaction that loses against others is tried.
const maxTries = 8

// inTx runs do in a transaction, again if the database broke it off in favour
// of another one. do must have no effect but on tx and on what it sets anew.
func (db *DB) inTx(ctx context.Context, do func(tx *sql.Tx) error) error {
	var err error
	for range maxTries {
		if err = db.tryTx(ctx, do); err == nil || db.dialect.classify(err) != conflict {
			return err
		}
	}
	return err
}

func (db *DB) tryTx(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		if broken := tx.Rollback(); broken != nil && !errors.Is(broken, sql.ErrTxDone) {
			return errors.Join(err, broken)
		}
		return err
	}
	return tx.Commit()
}
