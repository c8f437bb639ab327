package staff

import (
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
)

// remember is how long a process may act on what it read about a session or a key.
const remember = 5 * time.Second

// mostRemembered bounds the cache; it is emptied when full.
const mostRemembered = 20_000

// Identity is who stands behind a session or a key.
type Identity struct {
	Actor      actor.Actor
	Session    string // id of the session; empty for a key
	MustChange bool   // a password set by somebody else must be changed first; until then there are no grants
	TOTP       bool
}

type remembered struct {
	who   Identity
	owner string // person or key id
	until time.Time
	idle  time.Time // the session ends then if nothing is heard; zero for keys
}

// cache keeps identities by the hash of their token. The epoch keeps an answer that was read before a change from being
// stored after it.
type cache struct {
	machine func() time.Time
	mu      sync.Mutex
	epoch   uint64
	by      map[string]remembered
}

func newCache(machine func() time.Time) *cache {
	return &cache{machine: machine, by: map[string]remembered{}}
}

// get gives what is remembered of a token and the epoch to store a fresh answer with.
func (c *cache) get(token string) (Identity, bool, uint64) {
	now := c.machine()
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.by[token]
	if !ok || !now.Before(r.until) || (!r.idle.IsZero() && !now.Before(r.idle)) {
		delete(c.by, token)
		return Identity{}, false, c.epoch
	}
	return r.who, true, c.epoch
}

func (c *cache) put(token string, r remembered, epoch uint64) {
	r.until = c.machine().Add(remember)
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if len(c.by) >= mostRemembered {
		clear(c.by)
	}
	c.by[token] = r
}

// forget drops everything about a person or a key.
func (c *cache) forget(owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for token, r := range c.by {
		if r.owner == owner {
			delete(c.by, token)
		}
	}
}
