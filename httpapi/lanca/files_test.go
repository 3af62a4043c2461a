package lanca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyTheOwnerCanReadTheKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	check := func() {
		t.Helper()
		want := map[string]os.FileMode{".": 0o700, caFile: 0o600, leafFile: 0o600}
		for name, mode := range want {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != mode {
				t.Errorf("%s has mode %o, want %o", name, got, mode)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("the folder holds %v (%v), want two files", entries, err)
		}
	}
	setNames(t, open(t, Config{Dir: dir}), "phone.lan")
	check()
	for name, mode := range map[string]os.FileMode{".": 0o755, caFile: 0o644, leafFile: 0o640} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	open(t, Config{Dir: dir})
	check()
}

func TestDamagedFilesAreNeverReplaced(t *testing.T) {
	for name, tt := range map[string]struct {
		file   string
		damage func(text []byte) []byte
		want   string
	}{
		"empty CA":      {caFile, func([]byte) []byte { return nil }, "ca.pem is damaged: it does not begin with a private key; restore the file from a backup, or move the folder away"},
		"cut CA":        {caFile, func(b []byte) []byte { return b[:300] }, "ca.pem is damaged: there is no certificate after the private key; restore"},
		"longer CA":     {caFile, func(b []byte) []byte { return append(b, "x"...) }, "ca.pem is damaged: there is something after the certificate; restore"},
		"huge CA":       {caFile, func([]byte) []byte { return make([]byte, maxFileBytes+1) }, "ca.pem is damaged: it is longer than 65536 bytes; restore"},
		"missing CA":    {caFile, nil, "ca.pem is missing, but the leaf it signed is there; restore it from a backup, or move leaf.pem away"},
		"other CA key":  {caFile, otherKey, "ca.pem is damaged: its certificate belongs to another key; restore"},
		"empty leaf":    {leafFile, func([]byte) []byte { return nil }, "leaf.pem is damaged: it does not begin with a private key; restore the file from a backup, or move it away"},
		"leaf is no CA": {caFile, leafAsCA, "ca.pem is not usable: it holds a certificate that is no CA's; restore"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, Config{Dir: dir})
			path := filepath.Join(dir, tt.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if tt.damage == nil {
				err = os.Remove(path)
			} else {
				text = tt.damage(text)
				err = os.WriteFile(path, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(Config{Dir: dir, Now: start})
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, tt.want)) {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
			after, err := os.ReadFile(path)
			if tt.damage == nil {
				if !os.IsNotExist(err) {
					t.Errorf("the missing file was made anew (%v)", err)
				}
			} else if !bytes.Equal(after, text) {
				t.Error("the damaged file was replaced")
			}
		})
	}
}

// otherKey puts another key before the certificate.
func otherKey(text []byte) []byte {
	_, cert := pem.Decode(text)
	key, err := newKey()
	if err != nil {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}), cert...)
}

// leafAsCA makes a leaf out of a CA's file.
func leafAsCA(text []byte) []byte {
	ca, err := parsePair(text)
	if err != nil {
		return nil
	}
	leaf, err := issueLeaf("x", ca, ca.key, subjects{}, start())
	if err != nil {
		return nil
	}
	key, _ := pem.Decode(text)
	return append(pem.EncodeToMemory(key), pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: leaf.cert.Raw})...)
}

func TestMissingLeafAndForeignLeafAreMended(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Config{Dir: dir})
	if err := os.Remove(filepath.Join(dir, leafFile)); err != nil {
		t.Fatal(err)
	}
	if err := verify(first, leafOf(t, open(t, Config{Dir: dir})), "localhost", start()); err != nil {
		t.Errorf("after the leaf was lost: %v", err)
	}

	other := open(t, Config{})
	setNames(t, other, "phone.lan")
	text, err := os.ReadFile(filepath.Join(other.cfg.Dir, leafFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, leafFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	leaf := leafOf(t, open(t, Config{Dir: dir}))
	if err := verify(first, leaf, "phone.lan", start()); err != nil {
		t.Errorf("after a leaf of another CA was put there: %v", err)
	}
	if !leafOf(t, other).PublicKey.(*ecdsa.PublicKey).Equal(leaf.PublicKey) {
		t.Error("the key was not kept")
	}
}

func TestNewLeafServesWhenItCannotBeSaved(t *testing.T) {
	a := open(t, Config{})
	if err := os.RemoveAll(a.cfg.Dir); err != nil {
		t.Fatal(err)
	}
	changed, err := a.SetNames(nil, []string{"phone.lan"})
	if !changed || err == nil || !strings.Contains(err.Error(), "save "+filepath.Join(a.cfg.Dir, leafFile)) {
		t.Errorf("SetNames returned %v, %v; want a change and an error with the file", changed, err)
	}
	if err := verify(a, leafOf(t, a), "phone.lan", start()); err != nil {
		t.Error(err)
	}
}
