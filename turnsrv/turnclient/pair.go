package turnclient

import (
	"context"
	"errors"
	"time"
)

// Pair is two clients of one server whose channels lead to each other, from relay port to
// relay port.
type Pair struct{ From, To *Client }

const releaseTimeout = time.Second

// DialPair makes two allocations and binds their channels.
func DialPair(ctx context.Context, target Target, username, password string) (*Pair, error) {
	from, err := Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	to, err := Dial(ctx, target)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	p := &Pair{from, to}
	from.SignIn(username, password)
	to.SignIn(username, password)
	if err := p.bind(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pair) bind(ctx context.Context) error {
	here, err := p.From.Allocate(ctx)
	if err != nil {
		return err
	}
	there, err := p.To.Allocate(ctx)
	if err != nil {
		return err
	}
	if err := p.From.BindChannel(ctx, there); err != nil {
		return err
	}
	return p.To.BindChannel(ctx, here)
}

// Close releases both allocations, as far as the server still answers.
func (p *Pair) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	for _, c := range []*Client{p.From, p.To} {
		if c.allocated {
			_ = c.Release(ctx) // it ends by itself otherwise
		}
		_ = c.Close()
	}
}
