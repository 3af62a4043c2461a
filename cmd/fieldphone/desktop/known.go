package desktop

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const maxKnownBytes = 4 << 20

// Known remembers which CA each site had when a person compared it. It lives in a folder of
// the user's, together with the browser's profiles.
type Known struct {
	dir string
}

type knownSite struct {
	CA       []byte    `json:"ca"` // DER
	SHA256   string    `json:"sha256"`
	Compared time.Time `json:"compared"`
}

// OpenKnown makes the folder if it is missing, closed to other users.
func OpenKnown(dir string) (*Known, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for what this computer knows of sites: %w", err)
	}
	return &Known{dir: dir}, nil
}

func (k *Known) path() string { return filepath.Join(k.dir, "sites.json") }

func (k *Known) load() (map[string]knownSite, error) {
	f, err := os.Open(k.path())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]knownSite{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sites := map[string]knownSite{}
	err = json.NewDecoder(io.LimitReader(f, maxKnownBytes)).Decode(&sites)
	if err == nil && sites == nil {
		err = errors.New("it is null")
	}
	for _, site := range sites {
		if _, certErr := x509.ParseCertificate(site.CA); certErr != nil {
			err = errors.Join(err, certErr)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; delete it and compare the sites' CAs anew", k.path(), err)
	}
	return sites, nil
}

// CA returns the CA that the site had; nil if it is not known.
func (k *Known) CA(site string) (*x509.Certificate, error) {
	sites, err := k.load()
	if err != nil || len(sites[site].CA) == 0 {
		return nil, err
	}
	return x509.ParseCertificate(sites[site].CA)
}

// HasCA reports whether some site was seen with this CA: the same server at another of its
// addresses.
func (k *Known) HasCA(ca *x509.Certificate) (site string, err error) {
	sites, err := k.load()
	for name, known := range sites {
		if string(known.CA) == string(ca.Raw) {
			return name, err
		}
	}
	return "", err
}

// Remember keeps the site's CA, in place of what was there.
func (k *Known) Remember(site string, ca *x509.Certificate, now time.Time) error {
	sites, err := k.load()
	if err != nil {
		return err
	}
	sites[site] = knownSite{CA: ca.Raw, SHA256: FingerprintOf(ca).String(), Compared: now.UTC().Truncate(time.Second)}
	text, err := json.MarshalIndent(sites, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(k.dir, ".sites.*") // mode 0600
	if err != nil {
		return fmt.Errorf("remember the site: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), k.path())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("remember the site: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// profile names the browser's folder for a site and its key. A browser that still runs with
// another key's folder would hand the page over to itself, and trust what it was told first.
func profile(root, site, pin string) string {
	sum := sha256.Sum256([]byte(site + "\n" + pin))
	return filepath.Join(root, "window-"+hex.EncodeToString(sum[:8]))
}
