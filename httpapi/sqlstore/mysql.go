package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	mysqlScheme      = "mysql://"
	mysqlConnections = 16
	mysqlTimeout     = 10 * time.Second // connecting, and each read and write
	mysqlSchemaWait  = 60 * time.Second // for another process's migration
)

// The server's error numbers that mean something here.
const (
	mysqlTooManyConnections = 1040
	mysqlShutdown           = 1053
	mysqlDuplicate          = 1062
	mysqlLockWaitTimeout    = 1205
	mysqlDeadlock           = 1213
	mysqlReadOnly           = 1290
)

func openMySQL(ctx context.Context, cfg Config) (*DB, error) {
	settings, err := parseMySQL(cfg.DSN)
	if err != nil {
		return nil, err
	}
	settings.Logger = driverLog{cfg.Logger}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, errors.New("MySQL: the driver refuses the DSN; check its parameters")
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(mysqlConnections)
	pool.SetMaxIdleConns(mysqlConnections)
	pool.SetConnMaxIdleTime(time.Minute)
	db := &DB{
		read:  pool,
		write: pool,
		where: fmt.Sprintf("MySQL %s/%s", settings.Addr, settings.DBName),
		dialect: dialect{
			name:      "mysql",
			forUpdate: " FOR UPDATE",
			classify:  classifyMySQL,

			insertIgnore: "INSERT IGNORE", orderedJoin: "STRAIGHT_JOIN", like: likeMySQL,

			lockSchema: lockMySQLSchema,
		},
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(
			fmt.Errorf("cannot use %s; check that it runs, and the user, password and name in the DSN: %w", db, err),
			pool.Close())
	}
	return db, nil
}

// parseMySQL reads a DSN and sets what the store relies on. Its errors do not
// repeat the DSN, which holds a password.
func parseMySQL(dsn string) (*mysql.Config, error) {
	parse := mysql.ParseDSN
	if rest, ok := strings.CutPrefix(dsn, mysqlScheme); ok {
		dsn, parse = rest, parseMySQLURL
	}
	settings, err := parse(dsn)
	if err != nil || settings.DBName == "" || strings.ContainsAny(settings.DBName, "@/:") {
		return nil, errors.New("MySQL: cannot read the DSN; write mysql://user:password@host:3306/name " +
			"or mysql://user:password@unix(/path/to/socket)/name, user and password percent-encoded")
	}
	settings.ParseTime = true
	settings.Loc = time.UTC
	settings.ClientFoundRows = true
	settings.Collation = "utf8mb4_bin"
	settings.Timeout = mysqlTimeout
	settings.ReadTimeout = mysqlTimeout
	settings.WriteTimeout = mysqlTimeout
	if settings.Params == nil {
		settings.Params = make(map[string]string)
	}
	settings.Params["time_zone"] = "'+00:00'"
	// Strict: text that does not fit is refused, never cut.
	settings.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
	return settings, nil
}

// parseMySQLURL reads what follows mysql://. The last @ before the address
// ends the user and the password, so an @ in them does no harm.
func parseMySQLURL(rest string) (*mysql.Config, error) {
	var userinfo, address string
	if at := strings.Index(rest, "@unix("); at >= 0 {
		userinfo, address = rest[:at], rest[at+1:]
	} else {
		authority, _, _ := strings.Cut(rest, "/")
		at = strings.LastIndex(authority, "@")
		userinfo, address = rest[:max(at, 0)], rest[at+1:]
	}
	dsn, err := mysqlTarget(address)
	if err != nil {
		return nil, err
	}
	settings, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	user, password, _ := strings.Cut(userinfo, ":")
	if settings.User, err = url.PathUnescape(user); err != nil {
		return nil, err
	}
	settings.Passwd, err = url.PathUnescape(password)
	return settings, err
}

// mysqlTarget writes an address, a database name and parameters as the driver
// reads them.
func mysqlTarget(address string) (string, error) {
	if strings.HasPrefix(address, "unix(") {
		return address, nil
	}
	host, target, ok := strings.Cut(address, "/")
	if !ok || host == "" {
		return "", errors.New("no host or no database name")
	}
	if (&url.URL{Host: host}).Port() == "" {
		host = net.JoinHostPort(strings.Trim(strings.TrimSuffix(host, ":"), "[]"), "3306")
	}
	return fmt.Sprintf("tcp(%s)/%s", host, target), nil
}

// lockMySQLSchema takes a lock of the server, named after the database, that
// the connection holds until it lets go or breaks.
func lockMySQLSchema(ctx context.Context, conn *sql.Conn) (func(), error) {
	const name = `CONCAT('fieldphone.schema.', SHA1(DATABASE()))`
	deadline := time.Now().Add(mysqlSchemaWait)
	for time.Now().Before(deadline) {
		// Asked in short waits, which stay below the read timeout.
		var got sql.NullBool
		if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(`+name+`, 2)`).Scan(&got); err != nil {
			return nil, fmt.Errorf("lock the schema: %w", err)
		}
		if got.Valid && got.Bool {
			return func() {
				_, _ = conn.ExecContext(context.WithoutCancel(ctx), `DO RELEASE_LOCK(`+name+`)`)
			}, nil
		}
	}
	return nil, errors.New("another process is migrating the database; wait for it and start again")
}

func classifyMySQL(err error) failure {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlDuplicate:
			return duplicate
		case mysqlDeadlock:
			return conflict
		case mysqlLockWaitTimeout, mysqlTooManyConnections, mysqlShutdown, mysqlReadOnly:
			return unavailable
		}
		return failed
	}
	if _, ok := errors.AsType[net.Error](err); ok && !errors.Is(err, context.DeadlineExceeded) {
		return unavailable
	}
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) {
		return unavailable
	}
	return failed
}

// driverLog passes on what the driver would print to standard error.
type driverLog struct{ log *slog.Logger }

func (l driverLog) Print(v ...any) { l.log.Debug("MySQL driver", "said", fmt.Sprint(v...)) }
