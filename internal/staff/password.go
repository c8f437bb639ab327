package staff

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/rehu-heat/rehu/internal/fault"
)

// MinPassword is the least number of characters of a password.
const MinPassword = 10

const maxPassword = 128

// common are beginnings of passwords that every attacker tries first; length does not help them.
var common = []string{
	"password", "passw0rd", "qwerty", "asdfgh", "1q2w3e", "q1w2e3", "admin", "root", "letmein", "welcome", "iloveyou",
	"woaini", "5201314", "a123456", "abc123", "123456", "12345", "654321", "111111", "000000", "888888", "666666", "zxcvbn", "1qaz2wsx", "rehu",
}

// checkPassword refuses passwords that are short, common or made of the login.
func checkPassword(password, login string) error {
	var c fault.Check
	lower := strings.ToLower(password)
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		c.Add("password", "field.bad_text")
	case n < MinPassword:
		c.Add("password", "staff.password_short", "min", MinPassword)
	case len(password) > maxPassword:
		c.Add("password", "field.too_long", "max", maxPassword)
	case login != "" && strings.Contains(lower, login):
		c.Add("password", "staff.password_has_login")
	case isCommon(lower) || distinct(lower) < 5:
		c.Add("password", "staff.password_common")
	case n < 16 && kinds(password) < 2:
		c.Add("password", "staff.password_simple")
	}
	return c.Err()
}

// isCommon tells a password that is little more than a common beginning.
func isCommon(lower string) bool {
	for _, p := range common {
		if rest, ok := strings.CutPrefix(lower, p); ok && utf8.RuneCountInString(rest) < 8 {
			return true
		}
	}
	return false
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

func kinds(s string) int {
	var lower, upper, digit, other int
	for _, r := range s {
		switch {
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return lower + upper + digit + other
}

// hasher computes argon2id, two at a time: each takes tens of megabytes, and a crowd at the start of a shift must not
// take the machine down.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	queue  atomic.Int64
	absent string // a hash to compare with when there is no such account, so that the answer takes as long
}

// maxWaiting is how many logins wait for a slot before further ones are told to slow down.
const maxWaiting = 64

func newHasher(p *argon2id.Params) (*hasher, error) {
	if p == nil {
		p = &argon2id.Params{Memory: 32 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	absent, err := argon2id.CreateHash("no account has this password", p)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return &hasher{params: p, slots: make(chan struct{}, 2), absent: absent}, nil
}

func (h *hasher) turn(ctx context.Context) error {
	defer h.queue.Add(-1)
	if h.queue.Add(1) > maxWaiting {
		return fault.New(fault.Exhausted, "staff.busy")
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Exhausted, "staff.busy")
	}
}

func (h *hasher) make(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", nil
	}
	if err := h.turn(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	hash, err := argon2id.CreateHash(password, h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// matches compares; an empty hash never matches and takes as long as any other.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	if err := h.turn(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.slots }()
	against := hash
	if against == "" {
		against = h.absent
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] + "\x00" // too long to be right
	}
	ok, err := argon2id.ComparePasswordAndHash(password, against)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return ok && hash != "", nil
}
