package measure

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Request keeps that a test of the temperature is asked for. A home whose test is still owed keeps the request it has:
// the first one counts.
func (s *Service) Request(ctx context.Context, by actor.Actor, in Requesting) (Measurement, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Measurement, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Measurement, error) {
			return s.RequestIn(ctx, tx, by, in)
		})
	})
}

// RequestIn is Request in the caller's transaction.
func (s *Service) RequestIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Requesting) (Measurement, error) {
	if !by.MayAny(actor.MeasureRequest, in.City) {
		return Measurement{}, by.May(actor.MeasureRequest, actor.On{City: in.City})
	}
	if err := in.check(tx.Now); err != nil {
		return Measurement{}, err
	}
	var c *cases.Case
	if in.Case != "" {
		got, err := s.o.Cases.GetIn(ctx, tx, by, in.City, in.Case)
		if err != nil {
			return Measurement{}, err
		}
		c = &got
	}
	m, err := s.request(ctx, tx, by, in, c)
	if err != nil || c == nil || !c.TestAt.IsZero() {
		return m, err
	}
	return m, s.asked(ctx, tx, by, *c, m.RequestedAt)
}

// FromCase makes the measurement of a case that was opened or amended with a test request, in that transaction.
func (s *Service) FromCase(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case) error {
	as := by
	as.Grants = append(slices.Clone(by.Grants), actor.Grant{Role: actor.RoleSystem, City: c.City}) // whoever may open a case may write down its request
	_, err := s.request(ctx, tx, as, Requesting{City: c.City, Case: c.ID, Source: ByCase, At: c.TestAt}, &c)
	return err
}

func (in *Requesting) check(now civil.Instant) error {
	var c fault.Check
	c.That(in.Case != "" || in.Account != "" || in.Community != "" && in.Room != "", "account", "field.required")
	c.That(in.Source == "" || slices.Contains([]Source{ByResident, BySeat, ByVisit, ByCompany, ByAuthority, ByCase}, in.Source), "source", "field.not_one_of",
		"allowed", "resident, seat, visit, company, authority, case")
	c.That(in.At.IsZero() || !in.At.After(now), "at", "measure.ahead")
	c.That(in.At.IsZero() || now.Sub(in.At) <= longestAgo, "at", "measure.too_long_ago")
	c.That(in.AgreedC == nil || *in.AgreedC >= 0 && *in.AgreedC <= 400, "agreed_c", "field.out_of_range", "min", "0", "max", "40")
	c.That(len([]rune(in.Contact.Name)) <= 60, "contact.name", "field.too_long", "max", 60)
	c.That(in.Contact.Phone == "" || place.MayDial(in.Contact.Phone), "contact.phone", "place.bad_phone")
	return c.Err()
}

func (s *Service) request(ctx context.Context, tx *db.Tx, by actor.Actor, in Requesting, c *cases.Case) (Measurement, error) {
	m := Measurement{
		City: in.City, ID: tx.NewID(), State: Lifecycle.Start, Source: cmp.Or(in.Source, sourceOf(by)), AgreedC: in.AgreedC,
		RequestedAt: cmp.Or(in.At, tx.Now), CreatedBy: by.ID, Created: tx.Now, Updated: tx.Now, Version: 1,
	}
	if err := s.locate(ctx, tx, &m, in, c); err != nil {
		return Measurement{}, err
	}
	if err := by.May(actor.MeasureRequest, m.On()); err != nil {
		return Measurement{}, err
	}
	if err := hold(ctx, tx, m.City, m.Home); err != nil {
		return Measurement{}, err
	}
	list, err := ofHome(ctx, tx, m.City, m.Home)
	if err != nil {
		return Measurement{}, err
	}
	if i := slices.IndexFunc(list, func(o Measurement) bool { return o.State.Waiting() || o.State == Missed || o.State == Unsigned }); i >= 0 {
		return s.join(ctx, tx, list[i], c)
	}
	r, err := s.o.Rules(ctx, tx, m.City)
	if err != nil {
		return Measurement{}, err
	}
	if err := s.promise(r, &m, c); err != nil {
		return Measurement{}, err
	}
	if err := s.contact(ctx, tx, &m, in.Contact, c); err != nil {
		return Measurement{}, err
	}
	m.Season = citypack.SeasonLabel(m.RequestedAt.Date())
	n, err := db.Next(ctx, tx, m.City, "measurement:"+tx.Now.Date().String())
	if err != nil {
		return Measurement{}, err
	}
	m.No = r.Pack.Number("measurement", tx.Now.Date(), n, fmt.Sprintf("CW%s-%04d", strings.ReplaceAll(tx.Now.Date().String(), "-", ""), n))
	if err := insert(ctx, tx, m); err != nil {
		return Measurement{}, err
	}
	return m, s.opened(ctx, tx, by, r, m)
}

// opened keeps the first records of a measurement and the time after which it is late.
func (s *Service) opened(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m Measurement) error {
	if !m.ReportedAt.IsZero() {
		facts := map[string]any{"case": m.CaseNo}
		if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindReport, At: m.ReportedAt, Party: Resident, Counted: true}, facts, facts); err != nil {
			return err
		}
	}
	facts := map[string]any{"no": m.No, "source": m.Source, "due": m.DueAt}
	if m.AgreedC != nil {
		facts["agreed_c"] = *m.AgreedC
	}
	made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindRequest, At: m.RequestedAt, Party: Resident, Counted: true}, facts, facts)
	if err != nil {
		return err
	}
	if _, err := s.number(ctx, tx, r.Pack, m.home(), DocRequest, made.ID); err != nil {
		return err
	}
	if s.o.Tell != nil && m.Company != "" {
		if err := s.o.Tell(ctx, tx, m, "requested", made.ID); err != nil {
			return err
		}
	}
	if m.Case == "" {
		if err := s.startClocks(ctx, tx, r, m); err != nil {
			return err
		}
	}
	return s.watch(ctx, tx, m, "")
}

// watch sets the job that looks whether somebody came in time.
func (s *Service) watch(ctx context.Context, tx *db.Tx, m Measurement, appointment string) error {
	if m.DueAt.IsZero() {
		return nil
	}
	return jobs.Add(ctx, tx, m.City, passing{Measurement: m.ID, Due: m.DueAt, Appointment: appointment}, jobs.When{
		At: max(m.DueAt, tx.Now), Unique: "measure:" + m.ID + "@" + m.DueAt.String() + appointment,
	})
}

func sourceOf(by actor.Actor) Source {
	switch partyOf(by) {
	case Resident:
		return ByResident
	case Company:
		return ByCompany
	case Authority, Laboratory, GridWorker:
		return ByAuthority
	case Centre, Program:
	}
	return BySeat
}

// locate finds the home that is meant and who serves it.
func (s *Service) locate(ctx context.Context, tx *db.Tx, m *Measurement, in Requesting, c *cases.Case) error {
	m.Account, m.Community, m.Building, m.Unit, m.Room = in.Account, in.Community, place.BuildingNo(in.Building), place.UnitNo(in.Unit), place.RoomNo(in.Room)
	if c != nil {
		m.Case, m.CaseNo, m.ReportedAt = c.ID, c.No, c.ReceivedAt
		m.Company, m.District, m.Area, m.Station, m.CommunityName, m.Address = cmp.Or(c.Company, c.Proposed), c.District, c.Area, c.Station, c.CommunityName, c.Address
		m.Account = cmp.Or(m.Account, c.Account)
		if m.Community == "" {
			m.Community, m.Building, m.Unit, m.Room = c.Community, place.BuildingNo(c.Building), place.UnitNo(c.Unit), place.RoomNo(c.Room)
		}
	}
	if m.Account == "" && m.Community != "" && m.Room != "" {
		at := place.Address{Community: m.Community, Building: m.Building, Unit: m.Unit, Room: m.Room}
		account, ok, err := place.AccountAtIn(ctx, tx, m.City, at)
		if err != nil {
			return err
		}
		if ok {
			m.Account = account
		}
	}
	if m.Account != "" {
		h, ok, err := place.HouseholdIn(ctx, tx, m.City, m.Account)
		if err != nil {
			return err
		}
		if !ok && c == nil {
			var check fault.Check
			check.Add("account", "measure.no_such_account", "account", m.Account)
			return check.Err()
		}
		if ok {
			m.Community, m.Building, m.Unit, m.Room = h.Community, h.Building, h.Unit, h.Room
			m.Station = cmp.Or(h.Station, m.Station)
		}
	}
	m.Home = homeKey(*m)
	return s.served(ctx, tx, m)
}

// served fills in the community's name and who serves the home.
func (s *Service) served(ctx context.Context, tx *db.Tx, m *Measurement) error {
	if m.Community == "" {
		return nil
	}
	community, err := place.CommunityIn(ctx, tx, m.City, m.Community)
	switch {
	case fault.Is(err, fault.NotFound) && m.Case == "":
		var check fault.Check
		check.Add("community", "measure.no_such_community")
		return check.Err()
	case fault.Is(err, fault.NotFound):
		return nil // a case keeps what was said about its place
	case err != nil:
		return err
	}
	m.CommunityName, m.District, m.Station = community.Name, community.District, cmp.Or(m.Station, community.Station)
	if m.Address == "" {
		m.Address = addressOf(*m)
	}
	company, area, err := s.o.Owner(ctx, tx, m.City, m.Community, m.Building)
	if err != nil {
		return err
	}
	m.Company, m.Area = cmp.Or(m.Company, company), cmp.Or(m.Area, area)
	return nil
}

// homeKey names a home: its account, else its address, else the case that is all there is.
func homeKey(m Measurement) string {
	switch {
	case m.Account != "":
		return m.Account
	case m.Community != "" && m.Room != "":
		return "@" + strings.Join([]string{m.Community, m.Building, m.Unit, m.Room}, "/")
	}
	return "@case/" + m.Case
}

func addressOf(m Measurement) string {
	out := m.CommunityName
	if m.Building != "" {
		out += m.Building + "号楼"
	}
	if m.Unit != "" {
		out += m.Unit + "单元"
	}
	return out + m.Room
}

// join gives a second request of a home to the one whose test is still owed; a case that was not named yet is noted.
func (s *Service) join(ctx context.Context, tx *db.Tx, m Measurement, c *cases.Case) (Measurement, error) {
	if c == nil || m.Case != "" {
		return m, nil
	}
	if err := s.leaveClocks(ctx, tx, m, c.No); err != nil {
		return m, err
	}
	was := m
	m.Case, m.CaseNo = c.ID, c.No
	if m.ContactPhone == "" {
		if err := s.contact(ctx, tx, &m, cases.Party{}, c); err != nil {
			return m, err
		}
	}
	return update(ctx, tx, was, m)
}

// asked marks a case that had no test request yet, and lets its clocks know.
func (s *Service) asked(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, at civil.Instant) error {
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil {
		return err
	}
	act := audit.Act{Act: "case.test_request", Public: true, Body: map[string]any{"test_requested_at": at}}
	_, err = s.o.Cases.EditIn(ctx, tx, by, c.City, c.ID, act, func(c *cases.Case) error {
		if c.TestAt = at; c.Company == "" || !c.Open {
			return nil
		}
		return s.o.Cases.Tick(ctx, tx, r, c, citypack.EventRequested, at, clock.Org{Org: c.Company, Ref: c.ClockRef()})
	})
	return err
}

// promise computes by when somebody must come: the pack's limit, else what the refund rule in force says itself.
func (s *Service) promise(r *citypack.Rules, m *Measurement, c *cases.Case) error {
	v, ok := r.Pack.Rule("measure", m.RequestedAt, r.Phase(m.RequestedAt, m.District))
	if c != nil {
		if cat, known := r.Pack.Category(c.Category); known {
			if own, fits := r.Limit(citypack.ClockMeasure, cat, c.Urgency, m.RequestedAt, m.District); fits {
				v, ok = own, true
			}
		}
	}
	if !ok {
		if rule, is := r.Pack.RefundRuleOn(m.RequestedAt.Date()); is && rule.Measure != nil && len(rule.Measure.WithinHours) > 0 {
			hours := slices.Max(rule.Measure.WithinHours)
			m.DueAt = m.RequestedAt.Add(time.Duration(hours) * time.Hour)
			m.Promise = &Promise{Amount: hours, Unit: "hour", Path: rule.Path, Source: rule.Source.String(), First: m.DueAt}
		}
		return nil
	}
	limit, shifts := v.Calendar()
	due, err := r.Calendar.Due(calendar.Input{Limit: limit, From: m.RequestedAt, Shifts: shifts})
	if err != nil {
		return fmt.Errorf("compute by when to measure: %w", err)
	}
	m.DueAt = due.Due
	m.Promise = &Promise{Amount: v.Amount, Unit: string(v.Unit), Path: v.Path, Source: v.Source.String(), Provisional: v.Provisional, First: due.Due}
	if len(due.Missing) > 0 {
		m.Promise.Missing = due.Missing[0]
	}
	return nil
}

// contact seals who is to be reached under their own key; without a name or number of the request it is the case's caller.
func (s *Service) contact(ctx context.Context, tx *db.Tx, m *Measurement, who cases.Party, c *cases.Case) error {
	if who == (cases.Party{}) && c != nil {
		phone, err := s.o.Cases.PhoneIn(ctx, tx, *c)
		if err != nil {
			return err
		}
		who.Phone, m.ContactName = phone, c.CallerName
	}
	if who == (cases.Party{}) {
		return nil
	}
	p, err := secret.Subject(ctx, tx, s.o.Ring, m.City, secret.Phone, who.Phone)
	if err != nil {
		return err
	}
	b, err := json.Marshal(who)
	if err != nil {
		return err
	}
	m.ContactID, m.ContactPhone, m.ContactSealed = p.ID, secret.MaskPhone(who.Phone), p.Seal("measure.contact", string(b))
	if who.Name != "" {
		m.ContactName = secret.MaskName(who.Name)
	}
	return nil
}

// PhoneIn gives the number at which the resident of a measurement is reached; empty when they left none.
func (s *Service) PhoneIn(ctx context.Context, tx *db.Tx, m Measurement) (string, error) {
	if m.ContactSealed == "" {
		return "", nil
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, m.City, m.ContactID)
	if err != nil {
		return "", err
	}
	plain, err := p.Open("measure.contact", m.ContactSealed)
	if fault.Is(err, fault.NotFound) {
		return "", nil // the person was erased
	}
	if err != nil {
		return "", err
	}
	var who cases.Party
	err = json.Unmarshal([]byte(plain), &who)
	return who.Phone, err
}

// Withdraw ends a request that nobody has measured for; the resident says why.
func (s *Service) Withdraw(ctx context.Context, by actor.Actor, in Act) (Measurement, error) {
	return s.act(ctx, by, in, actor.MeasureRequest, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		return s.withdraw(ctx, tx, by, m, in)
	})
}

func (s *Service) withdraw(ctx context.Context, tx *db.Tx, by actor.Actor, m *Measurement, in Act) (string, error) {
	if _, err := Lifecycle.Next(m.State, Withdraw); err != nil {
		return "", err
	}
	if err := need(in.Reason); err != nil {
		return "", err
	}
	facts := map[string]any{"reason": in.Reason}
	made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindWithdrawn, Party: Resident, Counted: true}, facts, nil)
	if err != nil {
		return "", err
	}
	if err := s.endClocks(ctx, tx, *m, tx.Now); err != nil {
		return "", err
	}
	return made.ID, s.turnAll(ctx, tx, *m, Cancel)
}

func need(reason string) error {
	var c fault.Check
	c.That(strings.TrimSpace(reason) != "", "reason", "field.required")
	c.That(len([]rune(reason)) <= 1000, "reason", "field.too_long", "max", 1000)
	return c.Err()
}

// act is one act on a measurement: permission, once per key, the rules, the act itself, then where it stands. The act gives
// the record that others may have to hear of.
func (s *Service) act(ctx context.Context, by actor.Actor, in Act, p actor.Permission, body any,
	do func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error),
) (Measurement, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Measurement, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: body}, func() (Measurement, error) {
			m, err := s.of(ctx, tx, by, in.City, in.ID, p)
			if err != nil {
				return Measurement{}, err
			}
			return s.actIn(ctx, tx, by, m, in.Version, do)
		})
	})
}

func (s *Service) actIn(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement, version int64,
	do func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error),
) (Measurement, error) {
	m, err := held(ctx, tx, m)
	if err != nil {
		return Measurement{}, err
	}
	if version != 0 && version != m.Version {
		return Measurement{}, fault.New(fault.Conflict, "conflict.version")
	}
	r, err := s.o.Rules(ctx, tx, m.City)
	if err != nil {
		return Measurement{}, err
	}
	was := m
	about, err := do(ctx, tx, r, &m)
	if err != nil {
		return Measurement{}, err
	}
	m, _, err = s.settle(ctx, tx, by, r, was, m, about)
	return m, err
}

// of gives a measurement on which the actor holds a permission; whoever may not know of it finds nothing.
func (s *Service) of(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, p actor.Permission) (Measurement, error) {
	m, err := find(ctx, tx, city, id)
	if err != nil {
		return Measurement{}, err
	}
	if err := by.May(actor.MeasureRead, m.On()); err != nil {
		return Measurement{}, actor.Hide(err)
	}
	if err := by.May(p, m.On()); err != nil {
		return Measurement{}, err
	}
	return m, nil
}

// Follow gives the open measurement of a case to the company that the case went to; it runs at every step that the resident
// hears of and asks for no permission.
func (s *Service) Follow(ctx context.Context, tx *db.Tx, c cases.Case) error {
	if c.Company == "" || c.TestAt.IsZero() {
		return nil
	}
	list, err := ofCase(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	for _, m := range list {
		if !m.State.IsOpen() || m.Company == c.Company {
			continue
		}
		if m, err = held(ctx, tx, m); err != nil {
			return err
		}
		was := m
		m.Company, m.Area, m.Station, m.Worker, m.Testers = c.Company, c.Area, c.Station, "", nil
		if m, err = update(ctx, tx, was, m); err != nil {
			return err
		}
		if s.o.Tell != nil {
			if err := s.o.Tell(ctx, tx, m, "requested", c.DispatchID); err != nil {
				return err
			}
		}
	}
	return nil
}
