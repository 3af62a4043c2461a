package sqlstore

import (
	"strings"
	"testing"
)

func TestParseMySQL(t *testing.T) {
	for dsn, want := range map[string]struct{ user, password, network, address, name string }{
		"mysql://anna:secret@db.lan/site":                        {"anna", "secret", "tcp", "db.lan:3306", "site"},
		"mysql://anna:secret@10.0.0.5:3307/site?tls=false":       {"anna", "secret", "tcp", "10.0.0.5:3307", "site"},
		"mysql://anna:a%2Fb%3Ac%40d%25@db.lan:3306/site":         {"anna", "a/b:c@d%", "tcp", "db.lan:3306", "site"},
		"mysql://anna:p@ss@db.lan/site":                          {"anna", "p@ss", "tcp", "db.lan:3306", "site"},
		"mysql://anna@[fd00::5]/site":                            {"anna", "", "tcp", "[fd00::5]:3306", "site"},
		"mysql://anna@[fd00::5]:3307/site":                       {"anna", "", "tcp", "[fd00::5]:3307", "site"},
		"mysql://anna:secret@unix(/run/mysqld/mysqld.sock)/site": {"anna", "secret", "unix", "/run/mysqld/mysqld.sock", "site"},
		"anna:secret@tcp(db.lan:3306)/site?charset=latin1":       {"anna", "secret", "tcp", "db.lan:3306", "site"},
		"anna@unix(/run/mysqld/mysqld.sock)/site":                {"anna", "", "unix", "/run/mysqld/mysqld.sock", "site"},
	} {
		got, err := parseMySQL(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		if got.User != want.user || got.Passwd != want.password || got.Net != want.network ||
			got.Addr != want.address || got.DBName != want.name {
			t.Errorf("%s: got %s:%s@%s(%s)/%s", dsn, got.User, got.Passwd, got.Net, got.Addr, got.DBName)
		}
		if !got.ParseTime || !got.ClientFoundRows || got.Collation != "utf8mb4_bin" {
			t.Errorf("%s: got ParseTime %v, ClientFoundRows %v, Collation %s",
				dsn, got.ParseTime, got.ClientFoundRows, got.Collation)
		}
	}
}

func TestParseMySQLRefuses(t *testing.T) {
	for _, dsn := range []string{
		"mysql://", "mysql://anna:hunter22@db.lan", "mysql://anna:hunter22@db.lan/", "mysql://anna:hunter22@/site",
		"mysql://anna:hunter22%zz@db.lan/site", "mysql://anna:hunter22@unix(/sock/site", "mysql://anna:hunter22/@db.lan",
		"postgres://anna:hunter22@db.lan/site", "anna:hunter22", "mysql://anna:hunter22@db.lan/site?parseTime=hunter22",
	} {
		_, err := parseMySQL(dsn)
		if err == nil || !strings.Contains(err.Error(), "mysql://user:password@host:3306/name") {
			t.Errorf("%s: got %v, want an error that says how to write it", dsn, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: the error tells the password: %v", dsn, err)
		}
	}
}

func TestMigrationsPair(t *testing.T) {
	sqlite, err := migrationsFor("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	mysql, err := migrationsFor("mysql")
	if err != nil {
		t.Fatal(err)
	}
	if len(sqlite) == 0 || len(sqlite) != len(mysql) {
		t.Fatalf("got %d migrations for SQLite, %d for MySQL", len(sqlite), len(mysql))
	}
	for i := range sqlite {
		if sqlite[i].version != i+1 || sqlite[i].version != mysql[i].version || sqlite[i].name != mysql[i].name {
			t.Errorf("number %d is %s and %s", i+1, sqlite[i].name, mysql[i].name)
		}
		if len(sqlite[i].statements) == 0 || len(mysql[i].statements) == 0 {
			t.Errorf("%s is empty", sqlite[i].name)
		}
	}
}
