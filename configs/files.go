package configs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Files is about what the server keeps of files that people send to each other.
type Files struct {
	MaxBytes     Size          `yaml:"max_bytes"`      // one file
	QuotaPerUser Size          `yaml:"quota_per_user"` // what one person has sent and is still kept
	Quota        Size          `yaml:"quota"`          // everybody's together
	Keep         time.Duration `yaml:"keep"`           // a file is deleted this long after it was sent
	MinFree      Size          `yaml:"min_free"`       // room on the disk that files leave to everything else
}

// Size is a number of bytes, written with a unit: 500MB, 2GB. The units count by 1024.
type Size int64

const (
	kilobyte Size = 1 << 10
	megabyte Size = 1 << 20
	gigabyte Size = 1 << 30
	terabyte Size = 1 << 40
)

// sizeUnits are the units, the largest first.
var sizeUnits = [...]struct {
	name  string
	bytes Size
}{{"TB", terabyte}, {"GB", gigabyte}, {"MB", megabyte}, {"KB", kilobyte}, {"B", 1}}

// String returns the size as it is written in the file.
func (s Size) String() string {
	for _, unit := range sizeUnits {
		if s != 0 && s%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(s/unit.bytes), unit.name)
		}
	}
	return "0B"
}

func parseSize(text string) (Size, error) {
	for _, unit := range sizeUnits {
		digits, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil || n > math.MaxInt64/uint64(unit.bytes) {
			return 0, errors.New("not a number of bytes")
		}
		return Size(n) * unit.bytes, nil
	}
	return 0, errors.New("no unit")
}

func defaultFiles() Files {
	return Files{MaxBytes: 2 * gigabyte, QuotaPerUser: 4 * gigabyte, Quota: 20 * gigabyte, Keep: 14 * 24 * time.Hour, MinFree: 512 * megabyte}
}

func (f Files) check(ps *Problems) {
	const most, longest = 64 * terabyte, 10 * 365 * 24 * time.Hour
	ps.size("files.max_bytes", f.MaxBytes, megabyte, 64*gigabyte)
	ps.size("files.quota_per_user", f.QuotaPerUser, megabyte, most)
	ps.size("files.quota", f.Quota, megabyte, most)
	ps.duration("files.keep", f.Keep, time.Hour, longest)
	ps.size("files.min_free", f.MinFree, 0, most)
	if f.MaxBytes > f.QuotaPerUser {
		ps.add("files.max_bytes", f.MaxBytes, "it is more than files.quota_per_user "+f.QuotaPerUser.String(), "lower it, or raise the other")
	}
	if f.QuotaPerUser > f.Quota {
		ps.add("files.quota_per_user", f.QuotaPerUser, "it is more than files.quota "+f.Quota.String(), "lower it, or raise the other")
	}
}

func (ps *Problems) size(key string, value, low, high Size) {
	if value < low || value > high {
		ps.refuse("out_of_range", key, value, fmt.Sprintf("it must be from %s to %s", low, high), "choose a size in there")
	}
}
