package callback

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// Options are what the service stands on.
type Options struct {
	DB     *db.DB
	Cases  *cases.Service
	Clocks *clock.Ledger
	Jobs   *jobs.Runner
	Rules  func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Ask sends the resident of a case the question whether it is solved; the answer comes back by AnsweredIn.
	Ask func(ctx context.Context, tx *db.Tx, c cases.Case, ref string) error
	// Settled ends the question of a case that was answered in another way.
	Settled func(ctx context.Context, tx *db.Tx, c cases.Case) error
	// Tell puts a word into the inbox of the company of a case.
	Tell func(ctx context.Context, tx *db.Tx, c cases.Case, what string) error
}

// Service offers the use cases.
type Service struct {
	o Options
	// Own reports whether a logged-in resident may speak for the case; nil: only who has the receipt may.
	Own func(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case) (bool, error)
}

// New makes the service and starts its background work.
func New(o Options) *Service {
	s := &Service{o: o}
	if o.Jobs != nil {
		s.register(o.Jobs)
	}
	return s
}

// FollowIn keeps what a step of a case's life means for the figures; it runs in the transaction of the step.
func (s *Service) FollowIn(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
	switch e {
	case cases.CallBack:
		return s.settled(ctx, tx, c)
	case cases.NotSolved:
		if err := s.settled(ctx, tx, c); err != nil {
			return err
		}
		return s.end(ctx, tx, c, SentBack)
	case cases.Close:
		return s.end(ctx, tx, c, Closed)
	case cases.Reopen:
		return s.reopened(ctx, tx, c)
	case cases.FeedBack:
		return s.fedBack(ctx, tx, c)
	default:
		return nil
	}
}

func (s *Service) settled(ctx context.Context, tx *db.Tx, c cases.Case) error {
	if s.o.Settled == nil {
		return nil
	}
	return s.o.Settled(ctx, tx, c)
}

// end keeps an outcome with everything that the figures need of it, so that no later change of the case rewrites them.
func (s *Service) end(ctx context.Context, tx *db.Tx, c cases.Case, kind Kind) error {
	if c.Company == "" { // no unit's work
		return nil
	}
	last, found, err := lastOutcome(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	o := Outcome{
		City: c.City, ID: tx.NewID(), Case: c.ID, CaseNo: c.No, Kind: kind, N: 1, Day: tx.Now.Date(), At: tx.Now, Company: c.Company,
		Station: c.Station, Area: c.Area, District: c.District, Category: c.Category, Dispatch: c.DispatchID,
		Called: c.Solved, Solved: c.Solved, Satisfied: c.Satisfied, Version: 1,
	}
	if found {
		o.N = last.N + 1
	}
	if err := s.deeds(ctx, tx, c, &o); err != nil {
		return err
	}
	if o.Response, err = s.response(ctx, tx, c); err != nil {
		return err
	}
	if kind == SentBack {
		if err := s.again(ctx, tx, c, &o); err != nil {
			return err
		}
	}
	o.stand()
	return insertOutcome(ctx, tx, o)
}

// deeds fills in what the unit said and who asked the resident.
func (s *Service) deeds(ctx context.Context, tx *db.Tx, c cases.Case, o *Outcome) error {
	all, err := cases.Deeds(ctx, tx, c.City, c.ID, "")
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(all) {
		switch {
		case d.Kind == cases.DeedFeedback && o.HandledBy == "":
			o.HandledBy, o.HandlerSaid = d.By, d.Result
		case d.Kind == cases.DeedCallBack && o.CalledBy == "" && d.Result == c.Solved && c.Solved != "":
			var in cases.Call
			if err := d.Into(&in); err != nil {
				return err
			}
			o.CalledBy, o.How, o.SaidAt, o.Word = d.By, in.Channel, d.At, in.Note
		}
	}
	return nil
}

// response says whether the unit reached the resident in time: by the first contact, or where the matter has none, by its
// signature.
func (s *Service) response(ctx context.Context, tx *db.Tx, c cases.Case) (string, error) {
	all, err := s.o.Clocks.Of(ctx, tx, c.City, c.ID)
	if err != nil {
		return "", err
	}
	for _, code := range []string{citypack.ClockFirstContact, citypack.ClockSign} {
		for _, k := range slices.Backward(all) {
			if k.Code != code || k.Org != c.Company || k.State == clock.Void || k.Due.IsZero() {
				continue
			}
			if k.Late(tx.Now) {
				return "late", nil
			}
			return "in_time", nil
		}
	}
	return "no_limit", nil
}

// again decides what "not solved" means for the unit: rework, or a re-test where its last reading met the standard.
func (s *Service) again(ctx context.Context, tx *db.Tx, c cases.Case, o *Outcome) error {
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil {
		return err
	}
	warm, err := s.o.Cases.ConformsIn(ctx, tx, r, c)
	if err != nil {
		return err
	}
	o.Rework = !warm
	if warm {
		o.Retest = "offered"
	}
	return nil
}

// reopened: the resident says "still cold" after the closing, by whatever door.
func (s *Service) reopened(ctx context.Context, tx *db.Tx, c cases.Case) error {
	o, found, err := lastOutcome(ctx, tx, c.City, c.ID)
	if err != nil || !found || o.Kind != Closed || !o.ReopenedAt.IsZero() {
		return err
	}
	was := o
	o.ReopenedAt = tx.Now
	if o.Solved != no {
		o.hear(no, o.Satisfied, "reopened", "", tx.Now)
	}
	if err := s.again(ctx, tx, c, &o); err != nil {
		return err
	}
	if _, err := saveOutcome(ctx, tx, was, o); err != nil {
		return err
	}
	if o.Retest == "" || s.o.Tell == nil {
		return nil
	}
	return s.o.Tell(ctx, tx, c, "retest")
}

// fedBack: the unit came for the re-test. It counts as rework when the home is below the standard, or nobody came in time.
func (s *Service) fedBack(ctx context.Context, tx *db.Tx, c cases.Case) error {
	o, found, err := lastOutcome(ctx, tx, c.City, c.ID)
	if err != nil || !found || o.Retest != "offered" {
		return err
	}
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil {
		return err
	}
	warm, err := s.o.Cases.ConformsIn(ctx, tx, r, c)
	if err != nil {
		return err
	}
	late, err := s.nobodyCame(ctx, tx, o)
	if err != nil {
		return err
	}
	return s.retested(ctx, tx, o, warm, late)
}

func (s *Service) retested(ctx context.Context, tx *db.Tx, o Outcome, warm, late bool) error {
	was := o
	switch {
	case late:
		o.Retest, o.Rework = "nobody_came", true
	case warm:
		o.Retest = "passed"
	default:
		o.Retest, o.Rework = "failed", true
	}
	_, err := saveOutcome(ctx, tx, was, o)
	if err != nil {
		return err
	}
	act := audit.Act{Subject: "case:" + o.Case, Act: "callback.retest", Body: map[string]any{"result": o.Retest}}
	return audit.Record(ctx, tx, actor.SystemFor("callback", actor.Job), o.City, act)
}

// nobodyCame reports whether the limit of the offered re-test passed.
func (s *Service) nobodyCame(ctx context.Context, tx *db.Tx, o Outcome) (bool, error) {
	all, err := s.o.Clocks.Of(ctx, tx, o.City, o.Case)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(k clock.Clock) bool {
		return k.Code == citypack.ClockRetest && !k.Started.Before(o.SaidAt) && k.State != clock.Void && k.Late(tx.Now)
	}), nil
}

// resident gives the asker the resident's voice: what follows from a resident's word needs no permission of who heard it.
func resident(by actor.Actor, city int) actor.Actor {
	by.Grants = []actor.Grant{{Role: actor.RoleSystem, City: city}}
	return by
}

// seeing are the outcomes that somebody may see: who reads figures, and the company that they are about.
func seeing(by actor.Actor, city int) ([]actor.Scope, error) {
	var all []actor.Scope
	for _, p := range []actor.Permission{actor.StatsRead, actor.CaseAppeal, actor.CaseDecideAppeal} {
		if by.MayAny(p, city) {
			all = append(all, by.ScopeOf(p, city))
		}
	}
	if len(all) == 0 {
		return nil, by.May(actor.StatsRead, actor.On{City: city})
	}
	return all, nil
}

func subject(o Outcome) string { return "case:" + o.Case }

// drawJob draws the samples of the day before and ends re-tests that nobody came for.
type drawJob struct{}

// Kind names the job.
func (drawJob) Kind() string { return "callback.draw" }

const drawEvery = 3600e9

func (s *Service) register(r *jobs.Runner) {
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ drawJob) error {
		if j.City == 0 { // the installation itself has no cases
			return nil
		}
		if err := s.expire(ctx, j.City); err != nil {
			return err
		}
		return s.Draw(ctx, j.City)
	})
	r.Every(drawEvery, drawJob{})
}

// offeredBatch is how many offered re-tests one transaction looks at.
const offeredBatch = 200

// expire ends the re-tests whose limit passed. It goes through all that are offered: those without a limit stay so for ever
// and must not stand before the rest.
func (s *Service) expire(ctx context.Context, city int) error {
	for after := ""; ; {
		next, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) { return s.expireIn(ctx, tx, city, after) })
		if err != nil || next == "" {
			return err
		}
		after = next
	}
}

// expireIn looks at some offered re-tests and gives the last of them, empty when there are no more.
func (s *Service) expireIn(ctx context.Context, tx *db.Tx, city int, after string) (string, error) {
	all, err := offered(ctx, tx, city, after)
	if err != nil {
		return "", err
	}
	for _, o := range all {
		late, err := s.nobodyCame(ctx, tx, o)
		if err != nil {
			return "", err
		}
		if !late {
			continue
		}
		if err := s.retested(ctx, tx, o, false, true); err != nil {
			return "", err
		}
	}
	if len(all) < offeredBatch {
		return "", nil
	}
	return all[len(all)-1].ID, nil
}
