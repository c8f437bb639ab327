package db

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"

	"github.com/rehu-heat/rehu/internal/civil"
)

// IDs makes UUIDv7 text (RFC 9562) from the business clock: ids made later sort later, also within a millisecond.
type IDs struct {
	mu   sync.Mutex
	rng  *rand.Rand
	last int64
	seq  uint16
}

// NewIDs makes a source; a seed other than zero makes it repeatable, for a simulated history.
func NewIDs(seed uint64) *IDs {
	if seed != 0 {
		return &IDs{rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))} //nolint:gosec // ids need no secrecy
	}
	var b [32]byte
	_, _ = crand.Read(b[:]) // never fails (crypto/rand)
	return &IDs{rng: rand.New(rand.NewChaCha8(b))}
}

// New makes the next id.
func (g *IDs) New(at civil.Instant) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	ms := int64(at)
	if ms <= g.last && g.last-ms < 5000 {
		ms = g.last
		if g.seq++; g.seq > 0xfff {
			ms, g.seq = g.last+1, 0
		}
	} else {
		g.seq = uint16(g.rng.Uint32N(0x400)) // room to count up within the millisecond
	}
	g.last = ms
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(ms)<<16)
	binary.BigEndian.PutUint16(b[6:8], 0x7000|g.seq)
	binary.BigEndian.PutUint64(b[8:], g.rng.Uint64())
	b[8] = b[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
