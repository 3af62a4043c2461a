package account

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// MinSigningKeyBytes is the least length of Config.SigningKey: the size of
// the hash output, as RFC 7518 section 3.2 requires for HS256.
const MinSigningKeyBytes = 32

// Rate is a token bucket: Burst attempts at once, then PerMinute.
type Rate struct {
	Burst     int
	PerMinute int
}

const maxRate = 1_000_000

func (r Rate) valid() bool {
	return r.Burst >= 1 && r.Burst <= maxRate && r.PerMinute >= 1 && r.PerMinute <= maxRate
}

// Config says how a [Service] works. A zero value of any field but SigningKey
// means its default.
type Config struct {
	SigningKey []byte        // HMAC key of the tokens, at least MinSigningKeyBytes, shared by all nodes
	Issuer     string        // the tokens' iss; default "fieldphone"
	SessionTTL time.Duration // life of a token; default 3 h
	Leeway     time.Duration // how far clocks may be apart; default 2 min

	BcryptCost      int    // default 10; holds for passwords set from then on
	Hasher          Hasher // default bcrypt at BcryptCost
	HashConcurrency int    // passwords hashed at once; default GOMAXPROCS
	HashQueue       int    // passwords that may wait for that; default 128

	Registration Registration

	AddressRate  Rate // sign-ins of one remote address; default 30, 30/min
	RegisterRate Rate // registrations of one remote address; default 30, 30/min
	IDRate       Rate // failed sign-ins of one id; default 10, 10/min
	RateKeys     int  // addresses, and ids, remembered by the rate limits; default 10,000

	PollInterval  time.Duration // how often ends made elsewhere are read; default 300 ms
	SweepInterval time.Duration // how often expired sessions are deleted; default 10 min
	EndedLimit    int           // ended sessions kept in memory; default 100,000

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discards
}

func (c Config) withDefaults() Config {
	setDefault(&c.Issuer, "fieldphone")
	setDefault(&c.SessionTTL, 3*time.Hour)
	setDefault(&c.Leeway, 2*time.Minute)
	setDefault(&c.BcryptCost, 10)
	setDefault(&c.HashConcurrency, runtime.GOMAXPROCS(0))
	setDefault(&c.HashQueue, 128)
	setDefault(&c.AddressRate, Rate{Burst: 30, PerMinute: 30})
	setDefault(&c.RegisterRate, Rate{Burst: 30, PerMinute: 30})
	setDefault(&c.IDRate, Rate{Burst: 10, PerMinute: 10})
	setDefault(&c.RateKeys, 10_000)
	c.Registration = c.Registration.withDefaults()
	setDefault(&c.PollInterval, 300*time.Millisecond)
	setDefault(&c.SweepInterval, 10*time.Minute)
	setDefault(&c.EndedLimit, 100_000)
	if c.Hasher == nil {
		c.Hasher = bcryptHasher{cost: c.BcryptCost}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports every problem of the configuration at once.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf("account: "+format, args...))
		}
	}
	require(len(c.SigningKey) >= MinSigningKeyBytes,
		"SigningKey has %d bytes: give at least %d", len(c.SigningKey), MinSigningKeyBytes)
	require(c.SessionTTL >= time.Minute, "SessionTTL is %v: give at least 1m", c.SessionTTL)
	require(c.Leeway > 0 && c.Leeway < c.SessionTTL,
		"Leeway is %v: give more than 0 and less than SessionTTL (%v)", c.Leeway, c.SessionTTL)
	require(c.BcryptCost >= bcrypt.MinCost && c.BcryptCost <= 16,
		"BcryptCost is %d: give %d to 16", c.BcryptCost, bcrypt.MinCost)
	require(c.HashConcurrency > 0, "HashConcurrency is %d: give at least 1", c.HashConcurrency)
	require(c.HashQueue > 0, "HashQueue is %d: give at least 1", c.HashQueue)
	require(c.AddressRate.valid(), "AddressRate is %+v: give a burst and a rate of 1 to %d", c.AddressRate, maxRate)
	require(c.RegisterRate.valid(), "RegisterRate is %+v: give a burst and a rate of 1 to %d", c.RegisterRate, maxRate)
	require(c.IDRate.valid(), "IDRate is %+v: give a burst and a rate of 1 to %d", c.IDRate, maxRate)
	require(c.RateKeys > 0, "RateKeys is %d: give at least 1", c.RateKeys)
	c.Registration.check(require)
	require(c.PollInterval > 0, "PollInterval is %v: give more than 0", c.PollInterval)
	require(c.SweepInterval > 0, "SweepInterval is %v: give more than 0", c.SweepInterval)
	require(c.EndedLimit > 0, "EndedLimit is %d: give at least 1", c.EndedLimit)
	return errors.Join(problems...)
}
