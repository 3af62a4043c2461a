//go:build services

package main

import (
	"testing"

	"fieldphone/httpapi/sqlstore/mariatest"
)

// Ensure the same on MariaDB, which is killed as well every second time.
func TestKilledMariaDBKeepsWhatItAcknowledged(t *testing.T) {
	maria := mariatest.Start(t)
	k := newKiller(t, "FIELDPHONE_DATABASE_DSN="+maria.Fresh(t, "site"))
	n := 0
	k.run(t, kills(t, usualKills), func(*victim) {
		if n++; n%2 == 0 {
			maria.Kill()
			maria.Start(t)
		}
	})
}
