package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/sim"
)

// plan puts the next step of a case on the agenda, by where it stands.
func (s *season) plan(f *file) {
	t := s.w.Centre(f.call, f.round)
	switch f.c.Status {
	case cases.Reported, cases.Accepted:
		s.put(f, s.now.Add(t.AcceptAfter), s.accept)
	case cases.Filed:
		s.put(f, s.now.Add(t.SendAfter), s.send)
	case cases.Dispatched:
		s.begin(f, f.c.DispatchedAt)
		s.planUnsigned(f, t)
	case cases.Returned:
		s.put(f, s.now.Add(t.ReturnAfter), s.answerReturn)
	case cases.Signed, cases.Handling, cases.Rework:
		s.planWork(f)
	case cases.FedBack:
		f.done = nil
		s.put(f, office(s.now.Add(t.VerifyAfter)), s.verify)
	case cases.Verified:
		s.put(f, daytime(s.now.Add(t.CallAfter)), s.callBack)
	case cases.ToClose:
		s.put(f, s.now.Add(t.CloseAfter), s.close)
	case cases.Confirming, cases.Postponed, cases.Parked, cases.Closed, cases.Archived, cases.Answered, cases.Rejected,
		cases.Withdrawn, cases.Terminated, cases.Void:
	}
}

// put plans one act on a case. When its time comes the case must still stand where it stood; afterwards the next is planned.
func (s *season) put(f *file, at civil.Instant, act func(context.Context, *file) (cases.Case, error)) {
	status, round := f.c.Status, f.round
	s.later(at, func(ctx context.Context) error {
		if err := s.refresh(ctx, f); err != nil {
			return err
		}
		if f.c.Status != status || f.round != round {
			return nil // somebody was first, and planned what follows
		}
		c, err := act(ctx, f)
		if err != nil {
			return s.refuse(ctx, fmt.Errorf("%s of %s: %w", status, f.call.Key, err))
		}
		if c.Version == f.c.Version {
			return nil // done before, so that nothing follows from it
		}
		f.c = c
		s.plan(f)
		return nil
	})
}

// office moves an act into the hours in which verifiers work, daytime into those in which people are called.
func office(at civil.Instant) civil.Instant  { return between(at, 8, 21) }
func daytime(at civil.Instant) civil.Instant { return between(at, 9, 20) }

func between(at civil.Instant, from, to int) civil.Instant {
	day := at.Date()
	switch h := at.Time().Hour(); {
	case h < from:
		return civil.On(day, from, at.Time().Minute())
	case h >= to:
		return civil.On(day.AddDays(1), from, at.Time().Minute())
	}
	return at
}

// act names an act of a case, so that it is done once.
func (s *season) act(f *file, what string) cases.Act {
	return cases.Act{City: sim.Code, ID: f.c.ID, Key: f.call.Key + "/" + what + "/" + strconv.Itoa(f.round) + s.taken}
}

// one picks one of several people by the case.
func one(f *file, of []actor.Actor) actor.Actor {
	n := 0
	for _, b := range []byte(f.call.Key) {
		n = n*31 + int(b)
	}
	return of[(n&0xffff)%len(of)]
}

func (s *season) of(f *file, role actor.Role) actor.Actor { return one(f, s.crew.by[role]) }

func (s *season) unit(f *file, role actor.Role) actor.Actor {
	return one(f, s.crew.company[f.c.Company][role])
}

// company is the number of a company's code.
func (s *season) company(code string) int {
	for n, c := range s.w.Companies {
		if c.Code == code {
			return n
		}
	}
	return 0
}

// right is the code of the company that really serves the home.
func (s *season) right(f *file) string {
	return s.w.Companies[s.w.Supplier(s.w.Households[f.call.Household].Building)].Code
}

// accept takes in a report that nobody took in person, and answers it when it is a question.
func (s *season) accept(ctx context.Context, f *file) (cases.Case, error) {
	by := s.seat(f.call, s.w.Centre(f.call, 0))
	if f.call.IsQuestion() {
		return s.app.Cases.AnswerDirect(ctx, by, cases.Answering{Act: s.act(f, "answer"), Answer: s.w.Answer(f.call), Article: s.articles[f.call.Topic]})
	}
	if f.c.Status == cases.Reported {
		return s.app.Cases.Accept(ctx, by, s.act(f, "accept"))
	}
	return s.app.Cases.File(ctx, s.of(f, actor.RoleDispatcher), cases.Filing{Act: s.act(f, "file")})
}

// send tells a company that a dispatcher chose; sometimes it is the wrong one.
func (s *season) send(ctx context.Context, f *file) (cases.Case, error) {
	company := s.right(f)
	if t := s.w.Centre(f.call, f.round); t.Misdirected >= 0 && f.c.Returns == 0 {
		company = s.w.Companies[t.Misdirected].Code
	}
	in := dispatch.Sending{Act: s.act(f, "send"), Company: company}
	if f.c.Returns >= 2 {
		in.Reason = s.w.Say("designate", f.call.Key)
		return s.app.Dispatch.Designate(ctx, s.of(f, actor.RoleLeader), in)
	}
	return s.app.Dispatch.Dispatch(ctx, s.of(f, actor.RoleDispatcher), in)
}

// begin lets a company's way with a case start.
func (s *season) begin(f *file, at civil.Instant) {
	f.since, f.done = at, nil
	f.act = s.w.Conduct(f.call, s.company(f.c.Company), f.round)
	if f.round >= 3 { // sooner or later somebody sees to it
		f.act.Cured, f.act.Claims, f.act.Refusal = true, true, nil
		f.act.After = max(f.act.After, 190)
	}
}

// planUnsigned: the company signs, or says that it is not its case.
func (s *season) planUnsigned(f *file, t sim.Centre) {
	sign := f.since.Add(f.act.SignAfter)
	if r := f.act.Refusal; r != nil && !f.c.Designated && r.After < 29*time.Minute {
		s.put(f, f.since.Add(r.After), s.giveBack)
		return
	}
	if f.act.SignAfter > 40*time.Minute && t.Draw < 500 { // the centre telephones
		s.put(f, f.since.Add(time.Duration(25+t.Draw%12)*time.Minute), s.signFor)
		return
	}
	s.put(f, sign, s.sign)
}

func (s *season) sign(ctx context.Context, f *file) (cases.Case, error) {
	return s.app.Dispatch.Sign(ctx, s.unit(f, actor.RoleCompany), dispatch.Signing{Act: s.act(f, "sign"), OrderNo: "GD" + s.w.Digits("order "+f.call.Key, 8)})
}

func (s *season) signFor(ctx context.Context, f *file) (cases.Case, error) {
	return s.app.Dispatch.SignFor(ctx, s.of(f, actor.RoleDispatcher), dispatch.Signing{
		Act: s.act(f, "sign_for"), Recording: "LY" + s.w.Digits("recording "+f.call.Key, 10), Answered: s.w.NameOf("duty "+f.c.Company, f.round),
	})
}

func (s *season) giveBack(ctx context.Context, f *file) (cases.Case, error) {
	r := f.act.Refusal
	right := s.right(f)
	if !r.Fair { // it names a neighbour
		right = s.w.Companies[(s.company(f.c.Company)+1)%len(s.w.Companies)].Code
	}
	in := dispatch.Returning{Act: s.act(f, "return"), Right: right}
	in.Reason = r.Reason
	return s.app.Dispatch.Return(ctx, s.unit(f, actor.RoleCompany), in)
}

// answerReturn: the dispatcher believes who is right; the second return is decided by the shift leader.
func (s *season) answerReturn(ctx context.Context, f *file) (cases.Case, error) {
	f.round++
	if f.c.Returns >= 2 {
		in := dispatch.Sending{Act: s.act(f, "designate"), Company: s.right(f), Wrong: f.c.Company != s.right(f)}
		in.Reason = s.w.Say("designate", f.call.Key)
		return s.app.Dispatch.Designate(ctx, s.of(f, actor.RoleLeader), in)
	}
	in := dispatch.ReturnAnswer{Act: s.act(f, "answer_return"), Accept: f.act.Refusal != nil && f.act.Refusal.Fair}
	if in.Accept {
		in.Company = s.right(f)
	} else {
		in.Reason = s.w.Say("return_refused", f.call.Key)
		f.act.Refusal = nil
	}
	return s.app.Dispatch.AnswerReturn(ctx, s.of(f, actor.RoleDispatcher), in)
}
