//go:build services

// Package mariatest runs a MariaDB server for tests.
package mariatest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// The account of the tests; its password is one that DSNs get wrong.
const (
	User     = "fieldphone"
	Password = `p@ss/w:ör'd%`
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Server is a MariaDB server in a folder of its own that listens on a
// unix socket alone.
type Server struct {
	dir     string
	Socket  string
	account *syscall.Credential // to run as, or nil for the present one
	process *exec.Cmd
	admin   *sql.DB
}

// Start installs and starts a server that ends with the test. Where there is
// none to install the test fails.
func Start(t *testing.T) *Server {
	t.Helper()
	// Not t.TempDir: its parents are closed to the server's user, and its
	// path may be too long for a socket.
	dir, err := os.MkdirTemp("", "maria")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{dir: dir, Socket: filepath.Join(dir, "socket")}
	if os.Geteuid() == 0 {
		s.account = unprivileged(t)
		must(t, os.Chown(dir, int(s.account.Uid), int(s.account.Gid)))
	}
	install := s.command(t, "mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	s.Start(t)
	t.Cleanup(s.Stop)
	s.admin, err = sql.Open("mysql", "root@unix("+s.Socket+")/")
	must(t, err)
	t.Cleanup(func() { _ = s.admin.Close() })
	s.Exec(t, "CREATE USER '"+User+"'@'localhost' IDENTIFIED BY '"+strings.ReplaceAll(Password, "'", "''")+"'")
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

func (s *Server) command(t *testing.T, name string, args ...string) *exec.Cmd {
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
	inherited := cmd.Environ()
	cmd.Env = []string{"HOME=" + s.dir, "TMPDIR=" + s.dir}
	for _, variable := range inherited {
		if strings.HasPrefix(variable, "PATH=") {
			cmd.Env = append(cmd.Env, variable+":/usr/sbin")
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return cmd
}

func (s *Server) Start(t *testing.T) {
	t.Helper()
	log := filepath.Join(s.dir, "log")
	s.process = s.command(t, "mariadbd", "--skip-networking", "--socket="+s.Socket, "--log-error="+log,
		"--pid-file="+filepath.Join(s.dir, "pid"), "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2",
		"--transaction-isolation=READ-COMMITTED")
	must(t, s.process.Start())
	probe, err := sql.Open("mysql", "root@unix("+s.Socket+")/")
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
			s.Stop()
			t.Fatalf("mariadbd does not answer:\n%s", said)
		case <-tick.C:
		}
	}
}

func (s *Server) Stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

func (s *Server) Exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.admin.ExecContext(t.Context(), statement)
		must(t, err)
	}
}

func (s *Server) URL(database string) string {
	return "mysql://" + User + ":" + url.PathEscape(Password) + "@unix(" + s.Socket + ")/" + database
}

// Fresh makes an empty database and gives its URL.
func (s *Server) Fresh(t *testing.T, name string) string {
	t.Helper()
	s.Exec(t, "CREATE DATABASE "+name+" CHARACTER SET latin1 COLLATE latin1_swedish_ci",
		"GRANT ALL ON "+name+".* TO '"+User+"'@'localhost'")
	return s.URL(name)
}

// Kill ends the server with SIGKILL, as a crash would. Start starts it again.
func (s *Server) Kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}
