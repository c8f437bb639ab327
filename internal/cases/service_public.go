package cases

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Proof is how a resident shows that a case is theirs: its number with the telephone they called from, or the token of
// their receipt.
type Proof struct {
	No    string `json:"no" form:"no"`
	Phone string `json:"phone" form:"phone"`
	Token string `json:"token" form:"token"`
}

// PublicStep is one thing that happened, as the resident may know it. Names of staff never stand in it.
type PublicStep struct {
	At   civil.Instant  `json:"at"`
	Act  string         `json:"act"` // catalogue key "step.<act>"
	Body map[string]any `json:"body,omitempty"`
}

// Promise is one time limit as the resident may know it.
type Promise struct {
	Code    string        `json:"code"`
	Due     civil.Instant `json:"due,omitzero"`
	Stopped civil.Instant `json:"stopped,omitzero"`
	Late    bool          `json:"late"`
	State   clock.State   `json:"state"`
}

// Progress is how far a resident's case has come.
type Progress struct {
	ID         string           `json:"-"`
	Token      string           `json:"-"`
	No         string           `json:"no"`
	Status     Status           `json:"status"`
	Open       bool             `json:"open"`
	Category   string           `json:"category"`
	Urgency    citypack.Urgency `json:"urgency"`
	ReceivedAt civil.Instant    `json:"received_at"`
	TestAt     civil.Instant    `json:"test_requested_at,omitzero"`
	Community  string           `json:"community"`
	Company    string           `json:"company,omitempty"`
	Outage     string           `json:"outage,omitempty"`
	Answer     string           `json:"answer,omitempty"`
	Urges      int              `json:"urges,omitempty"`
	Steps      []PublicStep     `json:"steps"`
	Promises   []Promise        `json:"promises"`
	MayReopen  bool             `json:"may_reopen"`
	ReopenDays int              `json:"reopen_days,omitempty"`
	Version    int64            `json:"-"`
}

// newToken makes the secret part of a receipt's address.
func newToken() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails, see its documentation
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// ByToken finds the case of a receipt's or of Open311's token.
func (s *Service) ByToken(ctx context.Context, city int, token string) (Case, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		c, ok, err := findBy(ctx, tx, city, "token", token)
		if err != nil || !ok || token == "" {
			return Case{}, orWrong(err, fault.New(fault.NotFound, "not_found"))
		}
		return c, nil
	})
}

// Progress shows a resident their own case. A wrong number and a wrong telephone give the same answer.
func (s *Service) Progress(ctx context.Context, city int, p Proof) (Progress, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Progress, error) {
		c, err := s.prove(ctx, tx, city, p)
		if err != nil {
			return Progress{}, err
		}
		return s.progress(ctx, tx, c)
	})
}

// prove finds the case that a proof belongs to.
func (s *Service) prove(ctx context.Context, tx *db.Tx, city int, p Proof) (Case, error) {
	wrong := fault.New(fault.NotFound, "case.no_such_receipt")
	if p.Token != "" {
		c, ok, err := findBy(ctx, tx, city, "token", p.Token)
		if err != nil || !ok {
			return Case{}, orWrong(err, wrong)
		}
		return c, nil
	}
	no := strings.ToUpper(strings.TrimSpace(p.No))
	if no == "" || secret.NormalPhone(p.Phone) == "" {
		return Case{}, wrong
	}
	c, ok, err := findBy(ctx, tx, city, "no", no)
	if err != nil || !ok {
		return Case{}, orWrong(err, wrong)
	}
	who, ok, err := secret.FindSubject(ctx, tx, s.o.Ring, city, secret.Phone, p.Phone)
	if err != nil || !ok || (who != c.CallerID && who != c.ContactID) {
		return Case{}, orWrong(err, wrong)
	}
	return c, nil
}

// ProveIn finds the case that a resident's proof belongs to, for capabilities that come later.
func (s *Service) ProveIn(ctx context.Context, tx *db.Tx, city int, p Proof) (Case, error) {
	return s.prove(ctx, tx, city, p)
}

func orWrong(err, wrong error) error {
	if err != nil {
		return err
	}
	return wrong
}

func (s *Service) progress(ctx context.Context, tx *db.Tx, c Case) (Progress, error) {
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil {
		return Progress{}, err
	}
	o := r.Pack.Options(tx.Now)
	p := Progress{
		ID: c.ID, Token: c.Token, No: c.No, Status: c.Status, Open: c.Open, Category: c.Category, Urgency: c.Urgency, ReceivedAt: c.ReceivedAt,
		TestAt: c.TestAt, Community: c.CommunityName, Company: c.Company, Outage: c.Outage, Urges: c.Urges, Version: c.Version,
		MayReopen: c.MayReopen(o, tx.Now), ReopenDays: o.ReopenDays,
	}
	if !c.Open {
		p.Answer = c.Answer
	}
	entries, err := audit.History(ctx, tx, c.City, c.Subject(), 0)
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		if e.Public {
			step := PublicStep{At: e.At, Act: e.Act}
			if err := e.Data(&step.Body); err != nil {
				return p, err
			}
			p.Steps = append(p.Steps, step)
		}
	}
	clocks, err := s.o.Clocks.Of(ctx, tx, c.City, c.ID)
	for _, k := range clocks {
		if promised(k) {
			p.Promises = append(p.Promises, Promise{Code: k.Code, Due: k.Due, Stopped: k.Stopped, Late: k.Late(tx.Now), State: k.State})
		}
	}
	return p, err
}

// promised reports whether a clock is a promise to the resident rather than a matter inside the house.
func promised(k clock.Clock) bool {
	switch k.Code {
	case citypack.ClockFirstContact, citypack.ClockArrive, citypack.ClockMeasure, citypack.ClockRetest, citypack.ClockResident:
		return k.State != clock.Void
	}
	return false
}

// Word is what a resident adds to their own case.
type Word struct {
	City int    `json:"-" form:"-"`
	Text string `json:"text" form:"text"`
	Key  string `json:"-" form:"key"`
	Proof
	Photos []blob.Stored `json:"-" form:"-"`
}

// RemindOwn counts the resident's reminder on their own case.
func (s *Service) RemindOwn(ctx context.Context, by actor.Actor, in Word) (Progress, error) {
	return s.own(ctx, by, in, func(ctx context.Context, tx *db.Tx, as actor.Actor, c Case) (Case, error) {
		for _, p := range in.Photos {
			if _, err := s.o.Blobs.SaveIn(ctx, tx, as, p.For(c.Subject())); err != nil {
				return c, err
			}
		}
		return s.remindIn(ctx, tx, as, Reminder{Act: Act{City: c.City, ID: c.ID}, Channel: Web, Text: in.Text})
	})
}

// ReopenOwn is the resident's "still cold": once for each closing.
func (s *Service) ReopenOwn(ctx context.Context, by actor.Actor, in Word) (Progress, error) {
	return s.own(ctx, by, in, func(ctx context.Context, tx *db.Tx, as actor.Actor, c Case) (Case, error) {
		return s.reopenIn(ctx, tx, as, Reopening{Act: Act{City: c.City, ID: c.ID}, Channel: Web, Text: in.Text})
	})
}

func (s *Service) own(ctx context.Context, by actor.Actor, in Word, fn func(context.Context, *db.Tx, actor.Actor, Case) (Case, error)) (Progress, error) {
	if len([]rune(in.Text)) > 1000 {
		var check fault.Check
		check.Add("text", "field.too_long", "max", 1000)
		return Progress{}, check.Err()
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Progress, error) {
		c, err := s.prove(ctx, tx, in.City, in.Proof)
		if err != nil {
			return Progress{}, err
		}
		as := c.Resident(by.Door)
		c, err = OnceIn(ctx, tx, as, Act{City: in.City, ID: c.ID, Key: in.Key}, in, func() (Case, error) { return fn(ctx, tx, as, c) })
		if err != nil {
			return Progress{}, err
		}
		return s.progress(ctx, tx, c)
	})
}
