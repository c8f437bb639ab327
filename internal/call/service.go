package call

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Options set up a Service. Without a Switch nothing can be asked of the telephone; without Inbound nobody may report.
type Options struct {
	DB        *db.DB
	Ring      *secret.Ring
	Cases     *cases.Service
	Places    *place.Service
	Outages   *outage.Service    // nil: the voice menu knows of no stops
	Territory *territory.Service // nil: it does not find a community by its name
	Switch    Switch
	Inbound   *notice.Signer // checks what the switch sends
}

// Service offers the use cases.
type Service struct {
	o Options
	// Goal is how soon calls are to be answered; set by whoever plans the seats. The waiting time of a call does not depend on
	// it, so that a new goal judges old calls too.
	Goal func(ctx context.Context, tx *db.Tx, city int) (Goal, error)
}

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Cases == nil || o.Places == nil {
		return nil, errors.New("call: a database, a keyring, cases and places are needed")
	}
	return &Service{o: o}, nil
}

// Play joins a switch that the program itself plays; call it before anybody asks anything of the service.
func (s *Service) Play(sw Switch, inbound *notice.Signer) { s.o.Switch, s.o.Inbound = sw, inbound }

// Connected reports whether there is a switch to ask.
func (s *Service) Connected() bool { return s.o.Switch != nil }

// theSwitch is the actor behind what the switch reports.
func theSwitch() actor.Actor { return actor.SystemFor("switch", actor.API) }

// maxBatch bounds the reports of one request.
const maxBatch = 100

// Taken is what became of a request of reports.
type Taken struct {
	Taken int `json:"taken"`
	Known int `json:"known"` // reported before

	// Refused are the reports of several that can never be taken; a single one is refused by the answer itself.
	Refused []Refused `json:"refused,omitempty"`
}

// Refused is a report that was not taken, by its place in the request from 0.
type Refused struct {
	N      int    `json:"n"`
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"` // catalogue key
}

// Receive takes one report, or several, as the switch sends them, signed.
func (s *Service) Receive(ctx context.Context, city int, in notice.Signed) (Taken, error) {
	var out Taken
	if err := s.verify(in); err != nil {
		return out, err
	}
	var body struct {
		Report
		Reports []Report `json:"reports"`
	}
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return out, fault.Wrap(err, fault.Invalid, "call.bad_report")
	}
	all := body.Reports
	if len(all) == 0 {
		_, known, err := s.report(ctx, city, body.Report)
		return counted(known), err
	}
	if len(all) > maxBatch {
		return out, fault.New(fault.Invalid, "call.too_many_reports", "max", maxBatch)
	}
	for i, r := range all {
		_, known, err := s.report(ctx, city, r)
		switch k := fault.KindOf(err); {
		case err == nil:
			one := counted(known)
			out.Known, out.Taken = out.Known+one.Known, out.Taken+one.Taken
		case k == fault.Down || k == fault.Internal: // the switch sends all of them again; what was taken is known then
			return out, err
		default: // one report that can never be taken does not hold up those behind it
			out.Refused = append(out.Refused, Refused{N: i, ID: r.ID, Reason: fault.Of(err).Key})
		}
	}
	return out, nil
}

func counted(known bool) Taken {
	if known {
		return Taken{Known: 1}
	}
	return Taken{Taken: 1}
}

func (s *Service) verify(in notice.Signed) error {
	if s.o.Inbound == nil {
		return fault.New(fault.Denied, "notice.bad_signature")
	}
	return s.o.Inbound.Verify(in)
}

// Report takes one report; the same again changes nothing.
func (s *Service) Report(ctx context.Context, city int, r Report) (Call, error) {
	c, _, err := s.report(ctx, city, r)
	return c, err
}

func (s *Service) report(ctx context.Context, city int, r Report) (Call, bool, error) {
	if err := r.Check(); err != nil {
		return Call{}, false, err
	}
	known := false
	c, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (c Call, err error) {
		c, known, err = s.reportIn(ctx, tx, city, r)
		if fault.Is(err, fault.Conflict) && errors.Is(err, errFirst) || db.IsUnique(err) {
			return c, db.ErrRetry // another report of the call got in between
		}
		return c, err
	})
	return c, known, err
}

// errFirst marks a row that somebody changed since it was read, which only asks to read it again.
var errFirst = errors.New("changed meanwhile")

func again(err error) error {
	if fault.Is(err, fault.Conflict) {
		return errors.Join(err, errFirst)
	}
	return err
}

func (s *Service) reportIn(ctx context.Context, tx *db.Tx, city int, r Report) (Call, bool, error) {
	sum := sumOf(r)
	old, known, err := findReport(ctx, tx, city, r.ID)
	switch {
	case err != nil:
		return Call{}, false, err
	case known && old.Sum != sum:
		return Call{}, false, fault.New(fault.Invalid, "call.report_differs", "id", r.ID)
	case known:
		c, err := find(ctx, tx, city, old.Call)
		return c, true, err
	}
	if r.Seat != "" {
		if err := holdLine(ctx, tx, city, r.Seat); err != nil {
			return Call{}, false, err
		}
	}
	c, err := s.callOf(ctx, tx, city, r)
	if err != nil {
		return c, false, err
	}
	k, cmd, err := s.keep(ctx, tx, c, r, sum)
	if err != nil {
		return c, false, err
	}
	all, err := reportsOf(ctx, tx, city, c.ID)
	if err != nil {
		return c, false, err
	}
	was := c
	c.Facts = Fold(all)
	c.learn(r)
	if c.Updated = tx.Now; c.Blind == "" && r.Caller != "" {
		if err := s.seal(ctx, tx, &c, r.Caller); err != nil {
			return c, false, err
		}
	}
	if c, err = update(ctx, tx, c); err != nil {
		return c, false, again(err)
	}
	return c, false, s.follow(ctx, tx, was, c, k, cmd)
}

// learn fills in what only some reports say.
func (c *Call) learn(r Report) {
	if r.Direction == Out {
		c.Direction = Out
	}
	if c.Line == "" {
		c.Line = r.Line
	}
	if r.Queue != "" {
		c.Queue = r.Queue
	}
}

func sumOf(r Report) string {
	b, _ := json.Marshal(r) // a struct of texts and numbers always encodes
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// callOf finds the call of a report and holds it, so that reports of one call wait for each other; or begins it.
func (s *Service) callOf(ctx context.Context, tx *db.Tx, city int, r Report) (Call, error) {
	if err := hold(ctx, tx, city, r.Call); err != nil {
		return Call{}, err
	}
	c, found, err := findRef(ctx, tx, city, r.Call)
	if err != nil || found {
		return c, err
	}
	c = Call{City: city, ID: tx.NewID(), Ref: r.Call, Direction: In, Updated: tx.Now, Version: 1}
	c.Facts = Facts{State: Arrived, ArrivedAt: min(r.At, tx.Now)}
	return c, insert(ctx, tx, c)
}

// seal keeps the number of the other side under its person's key.
func (s *Service) seal(ctx context.Context, tx *db.Tx, c *Call, number string) error {
	n := secret.NormalPhone(number)
	p, err := secret.Subject(ctx, tx, s.o.Ring, c.City, secret.Phone, n)
	if err != nil {
		return err
	}
	c.Person, c.Masked, c.Blind = p.ID, secret.MaskPhone(n), s.o.Ring.Blind(secret.Phone, n)
	c.Sealed = p.Seal("call.number", n)
	return nil
}

// number opens what seal kept; empty when the person was erased.
func (s *Service) number(ctx context.Context, tx *db.Tx, city int, person, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
	if err != nil {
		return "", err
	}
	if p.Erased {
		return "", nil
	}
	return p.Open("call.number", sealed)
}

// keep writes a report down with who sat there and which company the command that caused it named. A time ahead of ours is
// taken as now: a switch's clock runs as it likes, its order does not depend on it.
func (s *Service) keep(ctx context.Context, tx *db.Tx, c Call, r Report, sum string) (Kept, asked, error) {
	k := Kept{
		City: c.City, ID: r.ID, Call: c.ID, Seq: r.Seq, At: min(r.At, tx.Now), Kind: r.Kind, Extension: r.Seat, Command: r.Command,
		Recording: r.Recording, Sum: sum, Received: tx.Now,
	}
	n, err := countReports(ctx, tx, c.City, c.ID)
	if err != nil {
		return k, asked{}, err
	}
	if n >= maxReports && !r.Kind.lasts() { // never: the same again would be refused as well
		return k, asked{}, fault.New(fault.Invalid, "call.too_many_reports", "max", maxReports)
	}
	if r.Seat != "" {
		seat, found, err := seatAt(ctx, tx, c.City, r.Seat)
		if err != nil {
			return k, asked{}, err
		}
		if found {
			k.Seat = seat.Person
		}
	}
	var cmd asked
	if r.Command != "" {
		if cmd, _, err = findCommand(ctx, tx, c.City, r.Command); err != nil {
			return k, cmd, err
		}
		k.Company = cmd.Company
	}
	return k, cmd, insertReport(ctx, tx, k)
}

// follow lets seats, call-backs and the case follow what became of the call.
func (s *Service) follow(ctx context.Context, tx *db.Tx, was, c Call, k Kept, cmd asked) error {
	if err := s.followSeats(ctx, tx, was, c); err != nil {
		return again(err)
	}
	if err := s.followBacks(ctx, tx, was, c, cmd); err != nil {
		return again(err)
	}
	if c.Case == "" {
		return nil
	}
	return s.tell(ctx, tx, c, k, cmd)
}

func (s *Service) followSeats(ctx context.Context, tx *db.Tx, was, c Call) error {
	people := []string{c.Seat}
	if was.Seat != c.Seat {
		people = append(people, was.Seat)
	}
	for _, p := range people {
		if p == "" {
			continue
		}
		seat, found, err := findSeat(ctx, tx, c.City, p)
		if err != nil {
			return err
		}
		if !found || !seat.follow(c, tx.Now) {
			continue
		}
		if _, err := updateSeat(ctx, tx, seat); err != nil {
			return err
		}
	}
	return nil
}

// actsOf are the reports that stand on a case's timeline.
func actsOf(k Kind) string {
	switch k {
	case Transferred:
		return "case.call_transfer"
	case Joined:
		return "case.call_conference"
	case Recorded:
		return "case.call_recording"
	case Queued, Ringing, Answered, Held, Resumed, Left, Ended, Abandoned:
	}
	return ""
}

// tell writes on the timeline of the call's case that it was put through, that the company joined, or that it is recorded:
// by whoever asked for it, once the switch says that it happened.
func (s *Service) tell(ctx context.Context, tx *db.Tx, c Call, k Kept, cmd asked) error {
	what := actsOf(k.Kind)
	if what == "" {
		return nil
	}
	by := theSwitch()
	if cmd.Person != "" {
		by = actor.Actor{ID: cmd.Person, Name: cmd.Name, Kind: actor.Person, Org: cmd.Org, Door: actor.Page}
	}
	body := map[string]any{"call": c.ID}
	if k.Company != "" {
		body["company"] = k.Company
	}
	return audit.Record(ctx, tx, by, c.City, audit.Act{Subject: "case:" + c.Case, Act: what, Body: body})
}
