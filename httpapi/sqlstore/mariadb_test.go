//go:build services

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"
)

const (
	mariaUser     = "fieldphone"
	mariaPassword = `p@ss/w:ör'd%`
)

// TestMariaDB runs the contract on a MariaDB server of its own. It is built
// with the tag services, and then a missing mariadbd is a failure.
func TestMariaDB(t *testing.T) {
	server := startMariaDB(t)
	var databases atomic.Int32
	fresh := func(t *testing.T) string {
		name := fmt.Sprintf("site%d", databases.Add(1))
		server.exec(t, "CREATE DATABASE "+name+" CHARACTER SET latin1 COLLATE latin1_swedish_ci",
			"GRANT ALL ON "+name+".* TO '"+mariaUser+"'@'localhost'")
		return server.url(name)
	}
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
		server.stop()
		if _, _, err := store.User(t.Context(), "anna"); !errors.Is(err, account.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		server.start(t)
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

func testMariaRefusals(t *testing.T, server *mariaServer) {
	for name, dsn := range map[string]string{
		"no such database": server.url("nowhere"),
		"wrong password":   "mysql://" + mariaUser + ":wr0ng@unix(" + server.socket + ")/site1",
		"nobody listens":   "mysql://" + mariaUser + ":wr0ng@unix(" + server.socket + ".none)/site1",
	} {
		db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "check that it runs") {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), url.PathEscape(mariaPassword))) {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

// mariaServer is a MariaDB server in a folder of its own that listens on a
// unix socket alone.
type mariaServer struct {
	dir, socket string
	account     *syscall.Credential // to run as, or nil for the present one
	process     *exec.Cmd
	admin       *sql.DB
}

func startMariaDB(t *testing.T) *mariaServer {
	t.Helper()
	// Not t.TempDir: its parents are closed to the server's user, and its
	// path may be too long for a socket.
	dir, err := os.MkdirTemp("", "maria")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &mariaServer{dir: dir, socket: filepath.Join(dir, "socket")}
	if os.Geteuid() == 0 {
		s.account = unprivileged(t)
		must(t, os.Chown(dir, int(s.account.Uid), int(s.account.Gid)))
	}
	install := s.command(t, "mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	s.start(t)
	t.Cleanup(s.stop)
	s.admin, err = sql.Open("mysql", "root@unix("+s.socket+")/")
	must(t, err)
	t.Cleanup(func() { _ = s.admin.Close() })
	s.exec(t, "CREATE USER '"+mariaUser+"'@'localhost' IDENTIFIED BY '"+strings.ReplaceAll(mariaPassword, "'", "''")+"'")
	return s
}

// unprivileged gives the user that the server's package made: the server
// refuses to run as root.
func unprivileged(t *testing.T) *syscall.Credential {
	t.Helper()
	who, err := osuser.Lookup("mysql")
	must(t, err)
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	must(t, err)
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	must(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *mariaServer) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Fatalf("install mariadb-server: %v", err)
		}
	}
	args = append([]string{"--no-defaults", "--datadir=" + filepath.Join(s.dir, "data")}, args...)
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin", "HOME=" + s.dir, "TMPDIR=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return cmd
}

func (s *mariaServer) start(t *testing.T) {
	t.Helper()
	log := filepath.Join(s.dir, "log")
	s.process = s.command(t, "mariadbd", "--skip-networking", "--socket="+s.socket, "--log-error="+log,
		"--pid-file="+filepath.Join(s.dir, "pid"), "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2",
		"--transaction-isolation=READ-COMMITTED")
	must(t, s.process.Start())
	probe, err := sql.Open("mysql", "root@unix("+s.socket+")/")
	must(t, err)
	defer func() { _ = probe.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := probe.PingContext(ctx); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			s.stop()
			t.Fatalf("mariadbd does not answer:\n%s", said)
		case <-tick.C:
		}
	}
}

func (s *mariaServer) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

func (s *mariaServer) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.admin.ExecContext(t.Context(), statement)
		must(t, err)
	}
}

func (s *mariaServer) url(database string) string {
	return "mysql://" + mariaUser + ":" + url.PathEscape(mariaPassword) + "@unix(" + s.socket + ")/" + database
}
