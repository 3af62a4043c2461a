//go:build services

package sqlstore_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/httpapi/sqlstore/mariatest"
)

// TestMariaDB runs the contract on a MariaDB server of its own. It is built
// with the tag services, and then a missing mariadbd is a failure.
func TestMariaDB(t *testing.T) {
	server := mariatest.Start(t)
	var databases atomic.Int32
	fresh := func(t *testing.T) string { return server.Fresh(t, fmt.Sprintf("site%d", databases.Add(1))) }
	t.Run("contract", func(t *testing.T) {
		testContract(t, func(t *testing.T) backend {
			dsn := fresh(t)
			return backend{open: func(t *testing.T) *sqlstore.DB { return openMaria(t, dsn) }}
		})
	})
	t.Run("refusals", func(t *testing.T) { testMariaRefusals(t, server) })
	t.Run("inspect", func(t *testing.T) {
		dsn := fresh(t)
		empty, err := sqlstore.Inspect(t.Context(), sqlstore.Config{DSN: dsn})
		if err != nil || empty.Version != 0 || empty.Newest == 0 || !strings.Contains(empty.Server, "MariaDB") {
			t.Errorf("before the first start: %+v, %v", empty, err)
		}
		withUser(t, openMaria(t, dsn).Accounts(), "anna")
		state, err := sqlstore.Inspect(t.Context(), sqlstore.Config{DSN: dsn})
		if err != nil || state.Version != state.Newest || state.Users != 1 {
			t.Errorf("got %+v, %v", state, err)
		}
	})
	t.Run("lost server", func(t *testing.T) {
		store := openMaria(t, fresh(t)).Accounts()
		withUser(t, store, "anna")
		server.Stop()
		if _, _, err := store.User(t.Context(), "anna"); !errors.Is(err, account.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		server.Start(t)
		if _, _, err := store.User(t.Context(), "anna"); err != nil {
			t.Errorf("after the server came back: %v", err)
		}
	})
}

func openMaria(t *testing.T, dsn string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
	if err != nil {
		t.Error(err)
		t.FailNow()
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func testMariaRefusals(t *testing.T, server *mariatest.Server) {
	for name, dsn := range map[string]string{
		"no such database": server.URL("nowhere"),
		"wrong password":   "mysql://" + mariatest.User + ":wr0ng@unix(" + server.Socket + ")/site1",
		"nobody listens":   "mysql://" + mariatest.User + ":wr0ng@unix(" + server.Socket + ".none)/site1",
	} {
		db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "check that it runs") {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), url.PathEscape(mariatest.Password))) {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}
