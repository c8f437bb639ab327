package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/sim"
)

// laboratory is the city's listed laboratory.
const laboratory = "lab1"

// visitor is a resident at the page of their receipt.
func visitor() actor.Actor { return actor.Anonymous(actor.Public) }

// told is what a resident says about a measurement through their receipt.
func (s *season) told(f *file, m measure.Measurement, what string) measure.Asking {
	return measure.Asking{Proof: cases.Proof{Token: f.c.Token}, City: sim.Code, Measurement: m.ID, Key: f.call.Key + "/" + what + s.taken}
}

// onTest names an act on a measurement, so that it is done once.
func (s *season) onTest(f *file, m measure.Measurement, what string) measure.Act {
	return measure.Act{City: sim.Code, ID: m.ID, Key: f.call.Key + "/" + what + "/" + fmt.Sprint(f.round) + s.taken}
}

// afterwards plans what somebody does about a measurement, at a time when people do such things; a refusal is their answer.
func (s *season) afterwards(at civil.Instant, what func(ctx context.Context) error) {
	s.later(daytime(at), func(ctx context.Context) error { return s.refuse(ctx, what(ctx)) })
}

// offer: on the telephone the company offers a time for the test that lies around its planned visit. Some residents agree at
// once, some answer the message later, and some want another time, which is then agreed by telephone.
func (s *season) offer(ctx context.Context, f *file) error {
	coming := f.since.Add(f.act.ArriveAfter)
	from := between(coming.Add(-30*time.Minute), 8, 18)
	to := from.Add(2 * hour)
	if f.act.ArriveAfter < 2*hour || coming.Before(from) || !coming.Before(to) {
		return nil // somebody comes right away, or at an hour for which nobody is asked
	}
	m, owed, err := s.owed(ctx, f)
	if err != nil || !owed {
		return err
	}
	return s.propose(ctx, f, m, measure.Proposal{Act: s.onTest(f, m, "offer"), From: from, To: to}, s.w.Centre(f.call, f.round).Draw)
}

// propose offers a time: by telephone, where it is agreed at once, or by message, which some answer and some do not.
func (s *season) propose(ctx context.Context, f *file, m measure.Measurement, in measure.Proposal, draw int) error {
	if draw%3 == 0 {
		in.Recording = "LY" + s.w.Digits("test offered "+in.Key, 10)
	}
	if _, err := s.app.Measure.Propose(ctx, s.unit(f, actor.RoleCompany), in); err != nil || in.Recording != "" || draw%7 == 0 {
		return s.refuse(ctx, err) // agreed, or the message is never answered
	}
	s.later(s.now.Add(time.Duration(10+draw%20)*time.Minute), func(ctx context.Context) error {
		return s.refuse(ctx, s.answerOffer(ctx, f, m, in, draw%4 > 0))
	})
	return nil
}

// answerOffer: the resident answers from the page; whoever declines is telephoned and moves it.
func (s *season) answerOffer(ctx context.Context, f *file, m measure.Measurement, in measure.Proposal, yes bool) error {
	v, err := s.app.Measure.Get(ctx, owner, sim.Code, m.ID)
	if err != nil {
		return err
	}
	for _, a := range v.Appointments {
		if a.State != measure.Proposed {
			continue
		}
		said := s.told(f, m, "time "+a.ID)
		said.Appointment, said.Yes = a.ID, yes
		if _, err := s.app.Measure.AnswerOwn(ctx, visitor(), said); err != nil || yes {
			return err
		}
		in.Key += "/moved"
		in.From, in.To = in.From.Add(hour), in.To.Add(hour)
		in.Recording = "LY" + s.w.Digits("test moved "+in.Key, 10)
		_, err := s.app.Measure.Propose(ctx, s.unit(f, actor.RoleCompany), in)
		return err
	}
	return nil
}

// doubt plans what a visit leads a resident to: an answer to "he says he came", or an objection to a result.
func (s *season) doubt(f *file, r measure.Receipt, draw int) {
	if r.Measurement == nil {
		return
	}
	m := *r.Measurement
	switch {
	case r.Visit.Outcome == measure.NobodyIn:
		s.later(s.now.Add(time.Duration(20+draw%40)*time.Minute), func(ctx context.Context) error {
			return s.refuse(ctx, s.came(ctx, f, m, r.Visit.ID, draw%2 > 0))
		})
		if draw%2 == 0 {
			s.afterwards(s.now.Add(150*time.Minute), func(ctx context.Context) error { return s.knockAgain(ctx, f, m) })
		}
	case r.Visit.Result != nil && r.Visit.Result.Known && r.Visit.Result.Conforming && draw%4 == 1:
		s.afterwards(s.now.Add(20*hour), func(ctx context.Context) error { return s.object(ctx, f, m, finding.Result) })
	}
}

// came is a resident's word on whether somebody was at the door.
func (s *season) came(ctx context.Context, f *file, m measure.Measurement, visit string, yes bool) error {
	said := s.told(f, m, "came "+visit)
	said.Visit, said.Yes = visit, yes
	_, err := s.app.Measure.CameOwn(ctx, visitor(), said)
	return err
}

// knockAgain: whoever said untruly that nobody was at home says so once more, and is denied once more.
func (s *season) knockAgain(ctx context.Context, f *file, m measure.Measurement) error {
	v, err := s.app.Measure.Get(ctx, owner, sim.Code, m.ID)
	if err != nil || v.State != measure.Absent {
		return err
	}
	in := measure.Submission{City: sim.Code, Visit: s.w.Digits("second door "+f.call.Key, 20), Measurement: m.ID, SentAt: s.now}
	in.Arrival = &measure.Arrival{
		Outcome: measure.NobodyIn, At: s.now, Slip: true, CallLog: s.now.Clock() + " " + s.w.Say("knocked", f.call.Key),
		Testers: []string{s.w.NameOf("tester "+f.c.Company, 0), s.w.NameOf("tester "+f.c.Company, 4)},
	}
	if _, err := s.app.Measure.Submit(ctx, s.unit(f, actor.RoleCompany), in); err != nil {
		return err
	}
	s.later(s.now.Add(30*time.Minute), func(ctx context.Context) error { return s.refuse(ctx, s.came(ctx, f, m, in.Visit, false)) })
	return nil
}

// nobodyTests plans the complaint of most of those whose test the company let pass.
func (s *season) nobodyTests(f *file, m measure.Measurement, draw int) {
	if draw%5 < 4 {
		s.afterwards(max(m.DueAt, s.now).Add(20*hour), func(ctx context.Context) error { return s.object(ctx, f, m, finding.Absent) })
	}
}

// retest: after a claimed cure the company agrees on a time and measures again.
func (s *season) retest(ctx context.Context, f *file, m measure.Measurement) error {
	draw, warm := s.w.Centre(f.call, f.round).Draw, f.act.After
	if !f.act.Cured {
		warm = f.act.Before + celsius.Tenths(draw%9)
	}
	if draw%2 == 0 || !f.act.Measured {
		return nil // the resident's word is enough
	}
	from := between(s.now.Add(time.Duration(6+draw%40)*hour), 9, 18)
	in := measure.Proposal{Act: s.onTest(f, m, "again"), From: from, To: from.Add(2 * hour)}
	if err := s.propose(ctx, f, m, in, draw); err != nil {
		return err
	}
	s.afterwards(from.Add(40*time.Minute), func(ctx context.Context) error {
		v, err := s.app.Measure.Get(ctx, owner, sim.Code, m.ID)
		if err != nil || v.State != measure.Cured && v.State != measure.Failed {
			return err
		}
		in := measure.Submission{City: sim.Code, Visit: s.w.Digits("retest "+f.call.Key, 20), Measurement: m.ID, SentAt: s.now}
		in.Arrival = &measure.Arrival{
			Outcome: measure.Met, At: s.now, Retest: true, Note: s.w.Say("test_after_cure", f.call.Key),
			Testers: []string{s.w.NameOf("tester "+f.c.Company, draw%4), s.w.NameOf("tester "+f.c.Company, 4+draw%4)},
		}
		s.readings(f, &in, draw, warm)
		_, err = s.app.Measure.Submit(ctx, s.unit(f, actor.RoleCompany), in)
		return err
	})
	return nil
}

// object is a resident's objection and what follows from it, day by day: the district authority accepts it, the company has
// its word, a laboratory measures where the result is doubted, and the authority issues its paper.
func (s *season) object(ctx context.Context, f *file, m measure.Measurement, ground finding.Ground) error {
	in := finding.Own{
		Proof: cases.Proof{Token: f.c.Token}, City: sim.Code, Measurement: m.ID, Ground: ground, Way: finding.Laboratory, Text: s.w.Say("objects_to_test", f.call.Key),
		Applicant: f.call.Caller.Name, Key: f.call.Key + "/object" + s.taken,
	}
	if ground == finding.Absent {
		in.Way, in.Text = finding.Complaint, s.w.Say("nobody_tested", f.call.Key)
	}
	made, err := s.app.Findings.FileOwn(ctx, visitor(), in)
	if err != nil || len(made) == 0 {
		return err
	}
	id := made[0].ID
	s.afterwards(s.now.Add(5*hour), func(ctx context.Context) error { return s.hear(ctx, f, id) })
	if ground == finding.Result {
		s.afterwards(s.now.Add(26*hour), func(ctx context.Context) error { return s.invite(ctx, f, m, id) })
	}
	s.afterwards(s.now.Add(96*hour), func(ctx context.Context) error { return s.find(ctx, f, id) })
	return nil
}

// authority is the district's clerk who decides about an objection.
func (s *season) authority(v finding.View) (actor.Actor, bool) {
	all := s.crew.by[actor.RoleDistrict]
	i := slices.IndexFunc(all, func(a actor.Actor) bool { return a.May(actor.FindingDecide, v.On()) == nil })
	if i < 0 {
		return actor.Actor{}, false
	}
	return all[i], true
}

// hear: the authority accepts, and the company says its word in the evening.
func (s *season) hear(ctx context.Context, f *file, id string) error {
	v, err := s.app.Findings.Get(ctx, owner, sim.Code, id)
	by, known := s.authority(v)
	if err != nil || !known {
		return err
	}
	act := finding.Act{City: sim.Code, ID: id, Version: v.Version, Key: "demo/hear/" + id}
	if _, err := s.app.Findings.Step(ctx, by, finding.Stepping{Act: act, Event: finding.Accept}); err != nil {
		return err
	}
	s.afterwards(s.now.Add(9*hour), func(ctx context.Context) error {
		v, err := s.app.Findings.Get(ctx, owner, sim.Code, id)
		crew := s.crew.company[v.Company][actor.RoleCompany]
		if err != nil || len(crew) == 0 {
			return err
		}
		word := "word_on_test"
		if v.Ground == finding.Absent {
			word = "word_on_absence"
		}
		_, err = s.app.Findings.Answer(ctx, crew[0], finding.Act{City: sim.Code, ID: id, Version: v.Version, Key: "demo/word/" + id, Reason: s.w.Say(word, f.call.Key)})
		return err
	})
	return nil
}

// invite: the company is invited in writing, and the laboratory measures on the next day.
func (s *season) invite(ctx context.Context, f *file, m measure.Measurement, id string) error {
	v, err := s.app.Findings.Get(ctx, owner, sim.Code, id)
	by, known := s.authority(v)
	if err != nil || !known {
		return err
	}
	at := civil.On(s.now.Date().AddDays(1), 15, 0)
	invited, err := s.app.Measure.Invite(ctx, by, measure.Invitation{Act: s.onTest(f, m, "invite"), Laboratory: laboratory, At: at})
	if err != nil {
		return err
	}
	record := ""
	for _, r := range invited.Records {
		if r.Kind == measure.KindInvitation {
			record = r.ID
		}
	}
	draw := s.w.Centre(f.call, f.round).Draw
	came, found := draw%3 > 0, celsius.Tenths(158+draw%35) // what it says is now for the one side, now for the other
	s.later(at.Add(3*hour), func(ctx context.Context) error {
		in := measure.LabReport{Act: s.onTest(f, m, "lab"), Lab: measure.Lab{
			Laboratory: laboratory, ReportNo: "NC-JC-" + s.w.Digits("report "+f.call.Key, 6), Invited: record, CompanyCame: &came,
			Readings: []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: found + 4, At: at}, {Room: "卧室", Type: "bedroom", TempC: found, At: at}},
		}}
		_, err := s.app.Measure.ReportLab(ctx, by, in)
		return s.refuse(ctx, err)
	})
	return nil
}

// find: the authority issues its paper. A laboratory's result prevails; where nobody measured there is none to name.
func (s *season) find(ctx context.Context, f *file, id string) error {
	v, err := s.app.Findings.Get(ctx, owner, sim.Code, id)
	by, known := s.authority(v)
	if err != nil || !known {
		return err
	}
	in := finding.Deciding{
		Act: finding.Act{City: sim.Code, ID: id, Version: v.Version, Key: "demo/find/" + id}, Form: finding.Opinion, Opinion: s.w.Say("finding_absence", f.call.Key), Cost: finding.Company,
	}
	if v.Ground == finding.Result {
		in.Opinion = s.w.Say("finding_laboratory", f.call.Key)
		for _, e := range v.Log {
			if e.Of != v.Measurement || e.Conforming == nil {
				continue
			}
			in.Prevails, in.Cost = e.Record, finding.Company
			if *e.Conforming {
				in.Cost = finding.User
			}
		}
	}
	_, err = s.app.Findings.Decide(ctx, by, in)
	return err
}
