package files

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of one person.
const (
	createBurst     = 100
	createPerMinute = 30
	maxWrites       = 4  // at once
	maxReads        = 24 // at once: a page shows a dozen pictures, and there may be several devices
	maxPeople       = 10_000
)

// people are those who send and fetch files just now.
type people struct {
	now func() time.Time

	mu sync.Mutex
	of map[string]*person
}

type person struct {
	creating      *rate.Limiter
	writes, reads int
}

// get finds or makes a person; p.mu is held.
func (p *people) get(user string) *person {
	if who := p.of[user]; who != nil {
		return who
	}
	if p.of == nil {
		p.of = make(map[string]*person)
	}
	if len(p.of) >= maxPeople {
		p.forget()
	}
	who := &person{creating: rate.NewLimiter(rate.Limit(createPerMinute/60.0), createBurst)}
	p.of[user] = who
	return who
}

// forget drops those who do nothing and may do everything again.
func (p *people) forget() {
	for user, who := range p.of {
		if who.writes == 0 && who.reads == 0 && who.creating.TokensAt(p.now()) >= createBurst {
			delete(p.of, user)
		}
	}
}

func (p *people) mayCreate(user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.get(user).creating.AllowN(p.now(), 1)
}

// begin takes one of the places of a person; done gives it back, once.
func (p *people) begin(user string, count func(*person) *int, most int) (done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.get(user)
	n := count(who)
	if *n >= most {
		return nil, false
	}
	*n++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		*n--
	}), true
}

func (p *people) write(user string) (done func(), ok bool) {
	return p.begin(user, func(who *person) *int { return &who.writes }, maxWrites)
}

func (p *people) read(user string) (done func(), ok bool) {
	return p.begin(user, func(who *person) *int { return &who.reads }, maxReads)
}
