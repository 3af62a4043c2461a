// Package wiretest makes the network of package wire for a test.
package wiretest

import (
	"os"
	"testing"

	"fieldphone/turnsrv/wire"
)

// New makes a World that goes away with the test, which is skipped without root.
func New(t testing.TB) *wire.World {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces take root")
	}
	world, err := wire.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	return world
}
