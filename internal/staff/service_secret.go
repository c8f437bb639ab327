package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// PasswordChange is the input of SetPassword. Current is needed for one's own; Session is the one that goes on.
type PasswordChange struct {
	Person  string `json:"-" form:"-"`
	Current string `json:"current" form:"current"`
	New     string `json:"password" form:"password"`
	Address string `json:"-" form:"-"`
	Session string `json:"-" form:"-"`
}

// SetPassword changes one's own password, or gives a person one that they must change at the next login. Every other
// session of theirs ends.
func (s *Service) SetPassword(ctx context.Context, by actor.Actor, in PasswordChange) error {
	own := by.ID == in.Person && by.Kind == actor.Person
	a, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (account, error) {
		if err := ownerOrManager(ctx, tx, by, in.Person); err != nil {
			return account{}, err
		}
		return find(ctx, tx, in.Person)
	})
	if err != nil {
		return err
	}
	if own {
		if err := s.proveOwn(ctx, a, in); err != nil {
			return err
		}
	}
	if err := checkPassword(in.New, a.Login); err != nil {
		return err
	}
	hash, err := s.hash.make(ctx, in.New)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		must := !own && by.Kind != actor.System
		if err := db.Guarded(ctx, tx, `UPDATE person SET password = $3, must_change = $4, version = version + 1 WHERE id = $1 AND version = $2`,
			a.ID, a.Version, hash, must); err != nil {
			return err
		}
		keep := ""
		if own {
			keep = in.Session
		}
		if _, err := endSessions(ctx, tx, a.ID, keep, s.machine()); err != nil {
			return err
		}
		if err := saveAttempts(ctx, tx, s.accountName(a.Login), attempts{}); err != nil {
			return err
		}
		tx.After(func() { s.cache.forget(a.ID) })
		return note(ctx, tx, by, a.Person, "staff.set_password", map[string]any{"own": own})
	})
}

// proveOwn asks for the present password; guesses count like those at the login page.
func (s *Service) proveOwn(ctx context.Context, a account, in PasswordChange) error {
	v := visitor{login: a.Login, address: in.Address}
	if _, err := s.attempt(ctx, v); err != nil {
		return err
	}
	ok, err := s.hash.matches(ctx, in.Current, a.Password)
	if err != nil {
		return err
	}
	var c fault.Check
	if !c.That(ok, "current", "staff.bad_current") || !c.That(in.New != in.Current, "password", "staff.password_same") {
		return c.Err()
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return s.clearCounts(ctx, tx, a, v) })
}

// TOTPSetup is what a code app needs, as text and as the address that a QR code carries.
type TOTPSetup struct {
	Secret string `json:"secret"`
	URL    string `json:"url"`
}

func boundTOTP(person string) string { return "totp:" + person }

// EnableTOTP makes a new secret for one's own account; codes are asked for only after ConfirmTOTP.
func (s *Service) EnableTOTP(ctx context.Context, by actor.Actor) (TOTPSetup, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (TOTPSetup, error) {
		a, err := s.self(ctx, tx, by)
		if err != nil {
			return TOTPSetup{}, err
		}
		if a.TOTP {
			return TOTPSetup{}, fault.New(fault.Conflict, "staff.totp_is_on")
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: s.o.Issuer, AccountName: a.Login, Rand: rand.Reader})
		if err != nil {
			return TOTPSetup{}, fmt.Errorf("make a one-time code secret: %w", err)
		}
		if _, err := db.Exec(ctx, tx, `UPDATE person SET totp = $2, totp_step = 0, version = version + 1 WHERE id = $1`,
			a.ID, s.o.Ring.Wrap([]byte(key.Secret()), boundTOTP(a.ID))); err != nil {
			return TOTPSetup{}, fmt.Errorf("keep the one-time code secret: %w", err)
		}
		return TOTPSetup{Secret: key.Secret(), URL: key.URL()}, nil
	})
}

// ConfirmTOTP switches codes on once the app showed a right one, and gives the recovery codes, shown only now.
func (s *Service) ConfirmTOTP(ctx context.Context, by actor.Actor, code string) ([]string, error) {
	codes := newRecoveryCodes()
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]string, error) {
		a, err := s.self(ctx, tx, by)
		if err != nil {
			return nil, err
		}
		if a.TOTP || a.Secret == "" {
			return nil, fault.New(fault.Conflict, "staff.totp_not_started")
		}
		if err := s.useTOTP(ctx, tx, a, code); err != nil {
			return nil, err
		}
		if err := saveRecovery(ctx, tx, a.ID, hashCodes(codes), true); err != nil {
			return nil, err
		}
		tx.After(func() { s.cache.forget(a.ID) })
		return codes, note(ctx, tx, by, a.Person, "staff.totp_on", nil)
	})
}

// DisableTOTP switches codes off: one's own with a code, a person's who lost the telephone by their manager.
func (s *Service) DisableTOTP(ctx context.Context, by actor.Actor, person, code, address string) error {
	own := by.ID == person && by.Kind == actor.Person
	if own {
		a, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (account, error) { return find(ctx, tx, person) })
		if err != nil {
			return err
		}
		if _, err := s.attempt(ctx, visitor{login: a.Login, address: address}); err != nil {
			return err
		}
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := ownerOrManager(ctx, tx, by, person); err != nil {
			return err
		}
		a, err := find(ctx, tx, person)
		if err != nil {
			return err
		}
		if !a.TOTP {
			return fault.New(fault.Conflict, "staff.totp_not_started")
		}
		if own {
			if err := s.useCode(ctx, tx, person, code); err != nil {
				return err
			}
			if err := s.clearCounts(ctx, tx, a, visitor{login: a.Login, address: address}); err != nil {
				return err
			}
		}
		if _, err := db.Exec(ctx, tx, `UPDATE person SET totp = '', totp_on = FALSE, recovery = NULL, version = version + 1 WHERE id = $1`, person); err != nil {
			return fmt.Errorf("switch codes off: %w", err)
		}
		tx.After(func() { s.cache.forget(person) })
		return note(ctx, tx, by, a.Person, "staff.totp_off", nil)
	})
}

// self reads the actor's own account.
func (s *Service) self(ctx context.Context, tx *db.Tx, by actor.Actor) (account, error) {
	if by.Kind != actor.Person {
		return account{}, fault.New(fault.Denied, "staff.people_only")
	}
	return find(ctx, tx, by.ID)
}

// useCode accepts a one-time code or a recovery code, each of them once.
func (s *Service) useCode(ctx context.Context, tx *db.Tx, person, code string) error {
	a, err := find(ctx, tx, person)
	if err != nil {
		return err
	}
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
	if len(code) == 6 {
		return s.useTOTP(ctx, tx, a, code)
	}
	hash := hashToken(code)
	i := slices.IndexFunc(a.Recovery, func(h string) bool { return subtle.ConstantTimeCompare([]byte(h), []byte(hash)) == 1 })
	if i < 0 {
		return badCode()
	}
	if err := saveRecovery(ctx, tx, a.ID, slices.Delete(a.Recovery, i, i+1), a.TOTP); err != nil {
		return err
	}
	return note(ctx, tx, a.actor(), a.Person, "staff.recovery_code", map[string]any{"left": len(a.Recovery) - 1})
}

func badCode() error {
	var c fault.Check
	c.Add("code", "staff.bad_code")
	return c.Err()
}

// useTOTP accepts the code of the present half minute or its neighbours, unless that or a later one was used before.
func (s *Service) useTOTP(ctx context.Context, tx *db.Tx, a account, code string) error {
	secret, err := s.o.Ring.Unwrap(a.Secret, boundTOTP(a.ID))
	if err != nil {
		return err
	}
	const period = 30
	now := s.o.Machine().Unix() / period
	for step := now - 1; step <= now+1; step++ {
		ok, err := hotp.ValidateCustom(code, uint64(step), string(secret), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil || !ok {
			continue // a code of the wrong form is a wrong code
		}
		n, err := db.Exec(ctx, tx, `UPDATE person SET totp_step = $2 WHERE id = $1 AND totp_step < $2`, a.ID, step)
		if err != nil {
			return fmt.Errorf("use a one-time code: %w", err)
		}
		if n == 1 {
			return nil
		}
	}
	return badCode()
}

func saveRecovery(ctx context.Context, tx *db.Tx, person string, hashes []string, on bool) error {
	var list *string
	if len(hashes) > 0 {
		text := `["` + strings.Join(hashes, `","`) + `"]` // hexadecimal: nothing to escape
		list = &text
	}
	if _, err := db.Exec(ctx, tx, `UPDATE person SET totp_on = $2, recovery = $3, version = version + 1 WHERE id = $1`, person, on, list); err != nil {
		return fmt.Errorf("keep recovery codes: %w", err)
	}
	return nil
}

// newRecoveryCodes makes ten codes of 16 characters, written in fours.
func newRecoveryCodes() []string {
	codes := make([]string, 10)
	for i := range codes {
		var b [10]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		t := base32.StdEncoding.EncodeToString(b[:])
		codes[i] = t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
	}
	return codes
}

func hashCodes(codes []string) []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = hashToken(strings.ReplaceAll(c, "-", ""))
	}
	return out
}
