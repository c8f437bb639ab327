package demo

import (
	"context"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

// planWork plans the next thing that the company does with a case it has signed.
func (s *season) planWork(f *file) {
	if f.since.IsZero() || f.c.Status == cases.Rework && !f.did("rework") {
		f.round++
		s.begin(f, s.now)
		f.did("rework")
	}
	a, at := f.act, f.since
	switch {
	case f.c.Status == cases.Signed && a.ArriveAfter > 0 && !f.did("assign"):
		s.put(f, s.now.Add(3*time.Minute), s.assign)
	case !f.did("contact"):
		s.put(f, at.Add(a.ContactAfter), s.contact)
	case !a.Reached && !f.did("contact2"):
		s.put(f, s.now.Add(8*time.Minute), s.contact)
	case a.ArriveAfter > 8*hour && !f.did("appoint"):
		s.put(f, s.now.Add(4*time.Minute), s.appoint)
	case a.ExtendAfter > 0 && !f.did("extend"):
		s.put(f, at.Add(a.ExtendAfter), s.askMore)
	case a.ArriveAfter > 0 && !f.did("arrive"):
		s.put(f, at.Add(a.ArriveAfter), s.arrive)
	case a.Absent && !f.did("arrive2"):
		s.put(f, at.Add(a.ReturnAfter), s.arrive)
	default:
		s.put(f, at.Add(a.FeedBackAfter), s.feedBack)
	}
}

const hour = time.Hour

func (s *season) assign(ctx context.Context, f *file) (cases.Case, error) {
	in := dispatch.Assigning{Act: s.act(f, "assign"), Worker: s.unit(f, actor.RoleWorker).ID}
	if station := s.w.Buildings[s.w.Households[f.call.Household].Building].Station; station >= 0 {
		in.Station = s.w.Stations[station].Code
	}
	return s.app.Dispatch.Assign(ctx, s.unit(f, actor.RoleCompany), in)
}

func (s *season) contact(ctx context.Context, f *file) (cases.Case, error) {
	in := dispatch.Contacting{Act: s.act(f, "contact"), Result: "connected"}
	if !f.act.Reached && !f.did("rang") {
		in.Act, in.Result = s.act(f, "contact0"), "no_answer"
	}
	c, err := s.app.Dispatch.Contact(ctx, s.unit(f, actor.RoleCompany), in)
	if err == nil && in.Result == "connected" {
		err = s.offer(ctx, f)
	}
	return c, err
}

// appoint agrees on the next day with the resident, who says so on the telephone.
func (s *season) appoint(ctx context.Context, f *file) (cases.Case, error) {
	from := f.since.Add(f.act.ArriveAfter - 30*time.Minute)
	in := dispatch.Appointment{Act: s.act(f, "appoint"), From: between(from, 7, 20), To: between(from, 7, 20).Add(2 * hour)}
	in.Recording = "LY" + s.w.Digits("appointment "+f.call.Key, 10)
	return s.app.Dispatch.Appoint(ctx, s.unit(f, actor.RoleCompany), in)
}

func (s *season) askMore(ctx context.Context, f *file) (cases.Case, error) {
	in := dispatch.Asking{Act: s.act(f, "extend"), Kind: dispatch.AskExtension, Until: max(f.since.Add(f.act.FeedBackAfter+3*hour), s.now.Add(hour))}
	in.Reason = f.act.ExtendReason
	s.later(s.now.Add(35*time.Minute), func(ctx context.Context) error { return s.grant(ctx, f) })
	return s.app.Dispatch.AskMore(ctx, s.unit(f, actor.RoleCompany), in)
}

// arrive is a visit: somebody is at home, or nobody is the first time.
func (s *season) arrive(ctx context.Context, f *file) (cases.Case, error) {
	in := dispatch.Visit{Act: s.act(f, "arrive"), Result: "met"}
	if f.act.Absent && !f.did("knocked") {
		in.Act, in.Result, in.Slip = s.act(f, "knock"), "nobody", true
		in.CallLog, in.Note = s.now.Clock()+" "+s.w.Say("knocked", f.call.Key), s.w.AbsentNote(f.call)
		photo, err := s.photo(ctx, f)
		if err != nil {
			return cases.Case{}, err
		}
		in.Photos = photo
	} else if f.act.Measured {
		in.Temperature = &f.act.Before
	}
	c, err := s.app.Dispatch.Arrive(ctx, s.unit(f, actor.RoleWorker), in)
	if err != nil {
		return c, err
	}
	return c, s.test(ctx, f, in.Result == "met")
}

// feedBack fills in the form of the category, as far as it asks.
func (s *season) feedBack(ctx context.Context, f *file) (cases.Case, error) {
	a := f.act
	values := map[string]string{
		"contact": s.w.Say("contacted", f.call.Key), "truth": a.Truth, "measures": a.Measures, "solved": yesNo(a.Claims), "answer": a.Answer,
		"cause": a.Cause, "segment": a.Segment, "rooms": a.Rooms, "instrument": "CW-" + f.c.Company + "-0" + strconv.Itoa(1+len(f.call.Text)%5),
	}
	if a.ArriveAfter > 0 {
		values["arrived_at"] = f.c.ArrivedAt.String()
		if f.c.ArrivedAt.IsZero() {
			values["arrived_at"] = s.now.String()
		}
	}
	if a.Measured {
		values["temp_before"] = a.Before.String()
		if a.Claims {
			values["temp_after"] = a.After.String()
		}
		values["refund"] = yesNo(f.call.Test && a.Before < 180)
	}
	if !a.Claims {
		values["unsolved_reason"], values["expected"] = s.w.Say("not_yet", f.call.Key), s.now.Add(30*hour).String()
	}
	form := map[string]string{}
	cat, ok := s.rules.Pack.Category(f.c.Category)
	if ok {
		for _, field := range s.rules.Pack.FeedbackForm(cat) {
			if v := values[field.Code]; v != "" {
				form[field.Code] = v
			}
		}
	}
	c, err := s.app.Dispatch.FeedBack(ctx, s.unit(f, actor.RoleCompany), dispatch.Feedback{Act: s.act(f, "feed_back"), Form: form})
	if err != nil {
		return c, err
	}
	return c, s.claimCure(ctx, f)
}

// verify looks whether it is true; who is not believed works again.
func (s *season) verify(ctx context.Context, f *file) (cases.Case, error) {
	in := cases.Verification{Act: s.act(f, "verify"), Passed: true, Mode: "evidence"}
	t := s.w.Centre(f.call, f.round)
	if !f.act.Cured && f.round < 3 && t.Fails {
		in.Passed, in.Mode, in.Note = false, "on_site", s.w.Say("verify_failed", f.call.Key)
		low := min(f.act.Before+3, 177)
		in.Temperature = &low
	} else if t.Draw < 150 {
		in.Mode = "on_site"
		if f.act.Measured {
			warm := max(f.act.After, f.act.Before)
			in.Temperature = &warm
		}
	}
	return s.app.Cases.Verify(ctx, s.of(f, actor.RoleVerifier), in)
}

// callBack asks the resident; up to three tries in two half-days.
func (s *season) callBack(ctx context.Context, f *file) (cases.Case, error) {
	f.tries++
	in := cases.Call{Act: s.act(f, "call_back"+strconv.Itoa(f.tries)), Reached: f.act.CallBackReached || f.tries > 1 && len(f.call.Text)%3 > 0, Channel: "phone"}
	if in.Reached {
		in.Solved, in.Satisfied = yesNo(f.act.Cured || f.round >= 3), yesNo(f.act.Satisfied)
	}
	if in.Reached {
		if err := s.believeCure(ctx, f, in.Solved == "yes"); err != nil {
			return cases.Case{}, err
		}
	}
	return s.app.Cases.CallBack(ctx, s.of(f, actor.RoleSeat), in)
}

func (s *season) close(ctx context.Context, f *file) (cases.Case, error) {
	return s.app.Cases.Close(ctx, s.of(f, actor.RoleDispatcher), cases.Answering{Act: s.act(f, "close")})
}
