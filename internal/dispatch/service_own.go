package dispatch

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Claim is what the company says of a visit, with the resident's word beside it. Who came never stands in it.
type Claim struct {
	ID     string        `json:"id"`
	At     civil.Instant `json:"at"`
	Result string        `json:"result"`         // met, nobody, refused
	Word   string        `json:"word,omitempty"` // of the resident: yes, no; empty while they have said nothing
	May    bool          `json:"may"`            // the resident may still say whether it is true
}

// Saying is a resident's word on one visit.
type Saying struct {
	City  int    `json:"-" form:"-"`
	Visit string `json:"visit" form:"visit"`
	True  string `json:"true" form:"true"` // yes, no
	Key   string `json:"-" form:"key"`
	cases.Proof
}

// Claims lists the visits that the company says it made for a resident's own case, oldest first.
func (s *Service) Claims(ctx context.Context, city int, p cases.Proof) ([]Claim, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Claim, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, city, p)
		if err != nil {
			return nil, err
		}
		may, err := s.mayStillSay(ctx, tx, c)
		if err != nil {
			return nil, err
		}
		deeds, err := cases.Deeds(ctx, tx, city, c.ID, "")
		return claimsOf(deeds, may), err
	})
}

func claimsOf(deeds []cases.Deed, may bool) []Claim {
	words := map[string]string{}
	for _, d := range deeds {
		if d.Kind == cases.DeedAnswer {
			words[answerTo(d)] = d.Result
		}
	}
	var out []Claim
	for _, d := range deeds {
		if d.Kind == cases.DeedVisit {
			word := words[d.ID]
			out = append(out, Claim{ID: d.ID, At: d.At, Result: d.Result, Word: word, May: may && word == ""})
		}
	}
	return out
}

// mayStillSay reports whether a resident's word on a visit is still taken: as long as the case is open or can be reopened.
func (s *Service) mayStillSay(ctx context.Context, tx *db.Tx, c cases.Case) (bool, error) {
	if c.Open {
		return true, nil
	}
	r, err := s.o.Cases.Rules(ctx, tx, c.City)
	if err != nil {
		return false, err
	}
	return c.MayReopen(r.Pack.Options(tx.Now), tx.Now), nil
}

// SayOwn takes a resident's word on a visit from the page of their case, once for each visit. It stands beside what the company
// says and counts like an answer by message, whose question it ends.
func (s *Service) SayOwn(ctx context.Context, by actor.Actor, in Saying) (cases.Case, error) {
	var check fault.Check
	check.That(in.Visit != "", "visit", "field.required")
	check.That(in.True == "yes" || in.True == "no", "true", "field.not_one_of", "allowed", "yes, no")
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, in.City, in.Proof)
		if err != nil {
			return c, err
		}
		as := c.Resident(by.Door)
		return cases.OnceIn(ctx, tx, as, cases.Act{City: c.City, ID: c.ID, Key: in.Key}, []string{in.Visit, in.True}, func() (cases.Case, error) {
			return s.sayIn(ctx, tx, as, c, in)
		})
	})
}

func (s *Service) sayIn(ctx context.Context, tx *db.Tx, as actor.Actor, c cases.Case, in Saying) (cases.Case, error) {
	visits, err := cases.Deeds(ctx, tx, c.City, c.ID, cases.DeedVisit)
	if err != nil {
		return c, err
	}
	if !slices.ContainsFunc(visits, func(d cases.Deed) bool { return d.ID == in.Visit }) {
		return c, fault.New(fault.NotFound, "not_found")
	}
	may, err := s.mayStillSay(ctx, tx, c)
	if err != nil {
		return c, err
	}
	if !may {
		return c, fault.New(fault.Conflict, "dispatch.say_over")
	}
	if err := s.Answered(ctx, tx, as, c.City, c.ID, in.Visit, in.True == "yes"); err != nil {
		return c, err
	}
	if s.o.Settled != nil {
		if err := s.o.Settled(ctx, tx, c, in.Visit); err != nil {
			return c, err
		}
	}
	return s.o.Cases.GetIn(ctx, tx, as, c.City, c.ID)
}
