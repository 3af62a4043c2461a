package account

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/bcrypt"
)

// Hasher turns passwords into hashes that are slow to guess. It must be safe
// for concurrent use; how many run at once is not its care.
type Hasher interface {
	// Hash gives a salted hash.
	Hash(password string) (string, error)
	// Matches compares in a time that does not depend on the outcome. An
	// error means that hash is not a hash of this kind.
	Matches(hash, password string) (bool, error)
}

type bcryptHasher struct{ cost int }

func (h bcryptHasher) Hash(password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), h.cost)
	return string(hash), err
}

func (h bcryptHasher) Matches(hash, password string) (bool, error) {
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

// hashQueue lets a bounded number of hashes run at once, so that a rush of
// sign-ins leaves processor time to the calls that are going on, and a
// bounded number wait.
type hashQueue struct {
	hasher  Hasher
	running chan struct{}
	waiting chan struct{}
}

func newHashQueue(hasher Hasher, concurrency, queue int) *hashQueue {
	return &hashQueue{
		hasher:  hasher,
		running: make(chan struct{}, concurrency),
		waiting: make(chan struct{}, queue),
	}
}

func (q *hashQueue) hash(ctx context.Context, password string) (string, error) {
	if err := q.enter(ctx); err != nil {
		return "", err
	}
	defer q.leave()
	hash, err := q.hasher.Hash(password)
	if err != nil {
		return "", fmt.Errorf("account: hash password: %w", err)
	}
	return hash, nil
}

func (q *hashQueue) matches(ctx context.Context, hash, password string) (bool, error) {
	if err := q.enter(ctx); err != nil {
		return false, err
	}
	defer q.leave()
	ok, err := q.hasher.Matches(hash, password)
	if err != nil {
		return false, fmt.Errorf("account: compare password: %w", err)
	}
	return ok, nil
}

func (q *hashQueue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("account: wait for a password check: %w", err)
	}
	select {
	case q.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case q.waiting <- struct{}{}:
		defer func() { <-q.waiting }()
	default:
		return busy()
	}
	select {
	case q.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("account: wait for a password check: %w", ctx.Err())
	}
}

func (q *hashQueue) load() (running, waiting int) { return len(q.running), len(q.waiting) }

func (q *hashQueue) leave() { <-q.running }
