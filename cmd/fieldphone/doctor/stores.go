package doctor

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc/presence"
)

const (
	storeTimeout = 8 * time.Second
	skewTold     = 2 * time.Second
	slowStore    = 50 * time.Millisecond
	oldestRedis  = 5
)

func (e *exam) database(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	began := time.Now()
	state, err := sqlstore.Inspect(ctx, sqlstore.Config{DSN: e.Config.Database.DSN.Reveal(), Dir: e.Config.Data})
	took := time.Since(began)
	switch {
	case errors.Is(err, sqlstore.ErrNewer):
		e.fail("schema", "Use the newer fieldphone, or restore a backup from before.", "%v", strip(err, "sqlstore: "))
		return
	case err != nil && e.Config.Database.DSN.Reveal() != "":
		e.fail("answers", "Start the database, or correct database.dsn.", "%v", strip(err, "sqlstore: "))
		return
	case err != nil:
		e.fail("answers", "Restore fieldphone.db from a backup; if rights are at fault, run the doctor as root.", "%v", strip(err, "sqlstore: "))
		return
	case !state.Exists:
		e.ok("answers", "%s is not there yet; the first start makes it", state.Where)
		return
	}
	e.ok("answers", "%s: %s, %s in %d ms", state.Where, state.Server, plural(state.Users, "account"), took.Milliseconds())
	if state.Loses && e.Config.Database.Sync == configs.SyncFull {
		e.warn("sync", "Set innodb_flush_log_at_trx_commit = 1 in the database's configuration, or database.sync to normal if that is meant.",
			"the database tells that a message is stored before its disk has it: a power failure may lose the last ones")
	}
	switch {
	case state.Version == 0:
		e.ok("schema", "empty; the first start makes the tables")
	case state.Version < state.Newest:
		e.warn("schema", "Restart the server with this program; make a backup before.", "version %d; this program brings it to %d at its next start", state.Version, state.Newest)
	default:
		e.ok("schema", "version %d, up to date", state.Version)
	}
}

// strip takes the package's name off: people read this.
func strip(err error, prefix string) string { return strings.TrimPrefix(err.Error(), prefix) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (e *exam) redis(ctx context.Context) {
	url := e.Config.Redis.URL
	if url.Reveal() == "" {
		e.skip("answers", "redis.url is empty: presence is kept in the server itself")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	state, err := presence.Examine(ctx, presence.Config{URL: url.Reveal()})
	now := time.Now()
	if err != nil {
		text, hint, _ := strings.Cut(strip(err, "presence: "), ": start it")
		if hint == "" {
			hint = "Correct redis.url, or what Redis allows this user."
		} else {
			hint = "Start Redis, correct redis.url, or leave it empty to keep presence in the server."
		}
		e.fail("answers", hint, "%s", text)
		return
	}
	if state.RoundTrip > slowStore {
		e.warn("answers", "Look at the load of that machine and of the network to it.", "%s answers in %d ms", state.Address, state.RoundTrip.Milliseconds())
	} else {
		e.ok("answers", "%s in %.1f ms", state.Address, float64(state.RoundTrip.Microseconds())/1000)
	}
	major, _, _ := strings.Cut(state.Version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestRedis {
		e.fail("version", "Use Redis 5 or later.", "%s", state.Version)
	} else {
		e.ok("version", "%s", state.Version)
	}
	if state.Eviction != "" && state.Eviction != "noeviction" {
		e.warn("memory", "CONFIG SET maxmemory-policy noeviction", "maxmemory-policy is %s: Redis may forget who is online", state.Eviction)
	}
	if skew := state.Clock.Sub(now); skew.Abs() > skewTold {
		e.warn("clock", "Set the clock that is wrong, on this machine or on that of Redis.", "Redis's clock is %v from this one", skew.Round(time.Millisecond))
	} else {
		e.ok("clock", "%v from this one", skew.Round(time.Millisecond))
	}
}
