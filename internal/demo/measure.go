package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// thermometers is how many each company has.
const thermometers = 5

// equip registers the thermometers of every company; the last of one company was not verified again in time.
func equip(ctx context.Context, a *app.App, c *sim.City) error {
	for n, co := range c.Companies {
		for k := range thermometers {
			in := equipment.Entry{
				City: sim.Code, Owner: co.Code, Number: thermometer(co.Code, k), Model: "TH-20R", Certificate: "NC" + c.Digits("certificate "+thermometer(co.Code, k), 8),
				Verifier: "暖城市计量测试所", VerifiedOn: civil.NewDate(2025, 9, 1+n), ValidUntil: civil.NewDate(2026, 8, 31), Key: "demo/instrument/" + thermometer(co.Code, k),
			}
			if n == len(c.Companies)-1 && k == thermometers-1 {
				in.VerifiedOn, in.ValidUntil = civil.NewDate(2024, 9, 1), civil.NewDate(2025, 8, 31)
			}
			if _, err := a.Equipment.Save(ctx, owner, in); err != nil {
				return fmt.Errorf("register thermometer %s: %w", in.Number, err)
			}
		}
	}
	return nil
}

func thermometer(company string, n int) string { return fmt.Sprintf("CW-%s-%02d", company, n+1) }

// owed is the test of a case that is not over; false when nobody asked for one.
func (s *season) owed(ctx context.Context, f *file) (measure.Measurement, bool, error) {
	if !f.call.Test {
		return measure.Measurement{}, false, nil
	}
	list, err := s.app.Measure.List(ctx, owner, sim.Code, measure.Filter{Case: f.c.ID, Open: true, Request: page.Request{Size: 1}})
	if err != nil || len(list.Items) == 0 {
		return measure.Measurement{}, false, err
	}
	return list.Items[0], true, nil
}

// test is what a visit does about a test that was asked for: temperatures of two rooms with both signatures, or a slip at the
// door. Some companies come and do not measure, so that their time passes.
func (s *season) test(ctx context.Context, f *file, met bool) error {
	m, owed, err := s.owed(ctx, f)
	draw := s.w.Centre(f.call, f.round).Draw
	if err == nil && owed && draw%11 == 0 {
		s.nobodyTests(f, m, draw)
	}
	if err != nil || !owed || met && !f.act.Measured || draw%11 == 0 {
		return err
	}
	by := s.unit(f, actor.RoleCompany)
	in := measure.Submission{City: sim.Code, Visit: s.w.Digits(fmt.Sprintf("visit %s/%d/%t", f.call.Key, f.round, met), 20), Measurement: m.ID, SentAt: s.now}
	in.Arrival = &measure.Arrival{Outcome: measure.Met, At: s.now, Testers: []string{s.w.NameOf("tester "+f.c.Company, draw%4), s.w.NameOf("tester "+f.c.Company, 4+draw%4)}}
	switch {
	case !met:
		in.Arrival.Outcome, in.Arrival.Slip, in.Arrival.CallLog = measure.NobodyIn, true, s.now.Clock()+" "+s.w.Say("knocked", f.call.Key)
	case draw%41 == 1:
		in.Arrival.Outcome, in.Arrival.Reason = measure.RefusedByCompany, s.w.Say("test_refused", f.call.Key)
	case draw%41 == 2:
		in.Arrival.Outcome, in.Arrival.Cause = measure.Unable, measure.Causes()[draw%3]
	default:
		s.readings(f, &in, draw, f.act.Before)
	}
	r, err := s.app.Measure.Submit(ctx, by, in)
	if err == nil {
		s.doubt(f, r, draw)
	}
	return s.refuse(ctx, err)
}

// readings are two rooms and the signatures; now and then the resident does not sign.
func (s *season) readings(f *file, in *measure.Submission, draw int, c celsius.Tenths) {
	outside := s.w.Weather.At(s.now)
	since := s.now.Add(-70 * time.Minute)
	in.Readings = &measure.Readings{
		Instrument: thermometer(f.c.Company, draw%thermometers), WindowsSince: since, HeightCM: 140, OutdoorC: &outside,
		Rooms: []measure.RoomReading{
			{Room: "客厅", Type: "living_room", TempC: c, At: s.now}, {Room: "卧室", Type: "bedroom", TempC: c + 3, At: s.now},
		},
	}
	relation := string(relations[f.call.Caller.Relation])
	user := measure.Signature{Side: measure.UserSide, Name: f.call.Caller.Name, Relation: relation, Strokes: "10,40 30,12 55,48 80,20;90,30 120,44", At: s.now}
	if draw%17 == 2 {
		user = measure.Signature{Side: measure.UserSide, Refused: true, At: s.now}
	}
	company := measure.Signature{Side: measure.CompanySide, Name: in.Arrival.Testers[0], Strokes: "12,20 44,36 70,18", At: s.now}
	in.Signatures = []measure.Signature{user, company}
}

// claimCure tells that the trouble is cured, once the feedback says so.
func (s *season) claimCure(ctx context.Context, f *file) error {
	m, owed, err := s.owed(ctx, f)
	if err != nil || !owed || m.State != measure.Failed || !f.act.Claims {
		return err
	}
	in := measure.Curing{Act: measure.Act{City: sim.Code, ID: m.ID, Key: f.call.Key + "/cure/" + string(m.State) + s.taken}, Text: f.act.Measures}
	if _, err = s.app.Measure.ClaimCure(ctx, s.unit(f, actor.RoleCompany), in); err != nil {
		return s.refuse(ctx, err)
	}
	return s.retest(ctx, f, m)
}

// believeCure keeps the resident's word about a claimed cure, as the call-back hears it.
func (s *season) believeCure(ctx context.Context, f *file, warm bool) error {
	m, owed, err := s.owed(ctx, f)
	if err != nil || !owed || m.State != measure.Cured {
		return err
	}
	in := measure.Curing{Act: measure.Act{City: sim.Code, ID: m.ID, Key: f.call.Key + "/word/" + fmt.Sprint(f.tries) + s.taken}}
	if warm {
		_, err = s.app.Measure.VerifyCure(ctx, s.of(f, actor.RoleLeader), in)
	} else {
		_, err = s.app.Measure.DenyCure(ctx, s.of(f, actor.RoleSeat), in)
	}
	return s.refuse(ctx, err)
}
