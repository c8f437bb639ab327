package exchange

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/notice"
)

// DayState is where a difference stands. Its name on the screen is "difference_state.<name>".
type DayState string

// The states of a difference.
const (
	DiffOpen      DayState = "open"
	DiffRepairing DayState = "repairing"
	DiffRepaired  DayState = "repaired"
	DiffGone      DayState = "gone" // the next look found it no more
)

// Day is a look at the lists of one day.
type Day struct {
	City      int           `db:"city_id" json:"-"`
	Platform  string        `db:"platform" json:"platform"`
	Day       civil.Date    `db:"day" json:"day"`
	FetchedAt civil.Instant `db:"fetched_at" json:"fetched_at"`
	Theirs    int           `db:"theirs" json:"theirs"` // tickets on their list
	Ours      int           `db:"ours" json:"ours"`
	Differing int           `db:"differing" json:"differing"`
}

// Difference is one ticket that the lists do not agree on.
type Difference struct {
	City       int            `db:"city_id" json:"-"`
	Platform   string         `db:"platform" json:"platform"`
	Day        civil.Date     `db:"day" json:"day"`
	OpenedBy   Side           `db:"opened_by" json:"opened_by"`
	No         string         `db:"no" json:"ticket"`
	Kind       DifferenceKind `db:"kind" json:"kind"`
	Theirs     *Line          `db:"theirs,json" json:"theirs,omitempty"`
	Ours       *Line          `db:"ours,json" json:"ours,omitempty"`
	Ticket     string         `db:"ticket_id" json:"ticket_id,omitempty"`
	State      DayState       `db:"state" json:"state"`
	Error      string         `db:"error" json:"error,omitempty"`
	FoundAt    civil.Instant  `db:"found_at" json:"found_at"`
	RepairedAt civil.Instant  `db:"repaired_at" json:"repaired_at,omitzero"`
	RepairedBy string         `db:"repaired_by" json:"-"`
}

// DayView is the day of a platform with its differences.
type DayView struct {
	Day
	Differences []Difference `json:"differences"`
}

// linesAtOnce is how many tickets one page of a list holds.
const linesAtOnce = 500

// Resend answers a platform that misses something we said.
func (s *Service) Resend(ctx context.Context, city int, code string, in notice.Signed) (Messages, error) {
	return asked(ctx, s, city, code, in, func(tx *db.Tx, p Platform, q Missing) (Messages, error) {
		out := Messages{Messages: []Message{}}
		t, ok, err := ticketByNo(ctx, tx, city, p.Code, q.OpenedBy, q.Ticket)
		if err != nil || !ok {
			return out, err
		}
		list, err := saidFrom(ctx, tx, t, q.From, mostAtOnce)
		if err != nil {
			return out, err
		}
		for _, e := range list {
			m, err := s.open(ctx, tx, e)
			if err != nil {
				return out, err
			}
			m.Ticket, m.OpenedBy = t.No, t.OpenedBy
			out.Messages = append(out.Messages, m)
		}
		return out, nil
	})
}

// Ledger answers a platform with our list of a day.
func (s *Service) Ledger(ctx context.Context, city int, code string, in notice.Signed) (DayList, error) {
	return asked(ctx, s, city, code, in, func(tx *db.Tx, p Platform, q DayAsked) (DayList, error) {
		var c fault.Check
		c.That(!q.Day.IsZero(), "day", "field.required")
		if err := c.Err(); err != nil {
			return DayList{}, err
		}
		rows, err := linesOf(ctx, tx, p, q.Day, q.After, linesAtOnce+1)
		if err != nil {
			return DayList{}, err
		}
		out := DayList{Tickets: []Line{}}
		for i, r := range rows {
			if i == linesAtOnce {
				out.Next = rows[i-1].ID
				break
			}
			out.Tickets = append(out.Tickets, r.Line)
		}
		return out, nil
	})
}

// asked reads a signed question and answers it.
func asked[Q, Out any](ctx context.Context, s *Service, city int, code string, in notice.Signed, fn func(tx *db.Tx, p Platform, q Q) (Out, error)) (Out, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Out, error) {
		var none Out
		p, err := s.from(ctx, tx, city, code, in)
		if err != nil {
			return none, err
		}
		if err := s.once(ctx, tx, p, in); err != nil {
			return none, err
		}
		q, err := jsonl.Decode[Q](in.Body)
		if err != nil {
			return none, err
		}
		return fn(tx, p, q)
	})
}

// compareAll looks at the lists of every platform: today's, and yesterday's until it was looked at when it was over.
func (s *Service) compareAll(ctx context.Context, city int) error {
	type due struct {
		p   Platform
		day civil.Date
	}
	list, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]due, error) {
		all, err := platformsIn(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		var out []due
		today := tx.Now.Date()
		for _, p := range all {
			if !p.Active {
				continue
			}
			d, ok, err := dayIn(ctx, tx, p, today.AddDays(-1))
			if err != nil {
				return nil, err
			}
			if !ok || d.FetchedAt.Date().Before(today) {
				out = append(out, due{p, today.AddDays(-1)})
			}
			out = append(out, due{p, today})
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := s.compare(ctx, d.p, d.day); err != nil {
			s.o.Log.WarnContext(ctx, "exchange: the lists could not be compared", "platform", d.p.Code, "day", d.day.String(), "error", err)
		}
	}
	return nil
}

// mostPages is how many pages a platform's list of a day may have: one that goes round and round is not followed.
const mostPages = 2000

// compare fetches their list of a day and keeps where ours differs.
func (s *Service) compare(ctx context.Context, p Platform, day civil.Date) error {
	var theirs []Line
	for after, pages := "", 0; ; pages++ {
		if pages == mostPages {
			return fault.New(fault.Down, "exchange.endless_list", "n", mostPages)
		}
		l, err := call[DayList](ctx, s, p, "/ledger", DayAsked{Day: day, After: after})
		if err != nil {
			_ = db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return answered(ctx, tx, p, reason(err)) }) // the fault itself is returned
			return err
		}
		theirs = append(theirs, l.Tickets...)
		if l.Next == "" || l.Next == after {
			break
		}
		after = l.Next
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := answered(ctx, tx, p, ""); err != nil {
			return err
		}
		rows, err := linesOf(ctx, tx, p, day, "", 0)
		if err != nil {
			return err
		}
		ours, ids := make([]Line, len(rows)), map[string]string{}
		for i, r := range rows {
			ours[i], ids[string(r.OpenedBy)+r.Ticket] = r.Line, r.ID
		}
		pairs, err := s.known(ctx, tx, p, Compare(theirs, ours))
		if err != nil {
			return err
		}
		if err := goneDifferences(ctx, tx, p, day); err != nil {
			return err
		}
		for _, pair := range pairs {
			d := Difference{City: p.City, Platform: p.Code, Day: day, Kind: pair.Kind, Theirs: pair.Theirs, Ours: pair.Ours, State: DiffOpen, FoundAt: tx.Now}
			one := pair.Theirs
			if one == nil {
				one = pair.Ours
			}
			d.OpenedBy, d.No, d.Ticket = one.OpenedBy, one.Ticket, ids[string(one.OpenedBy)+one.Ticket]
			if err := keepDifference(ctx, tx, d); err != nil {
				return err
			}
		}
		return keepDay(ctx, tx, Day{City: p.City, Platform: p.Code, Day: day, FetchedAt: tx.Now, Theirs: len(theirs), Ours: len(ours), Differing: len(pairs)})
	})
}

// known compares what they list of this day and we have on another: midnight lies between two clocks.
func (s *Service) known(ctx context.Context, tx *db.Tx, p Platform, pairs []Pair) ([]Pair, error) {
	var out []Pair
	for _, pair := range pairs {
		if pair.Kind != MissingHere {
			out = append(out, pair)
			continue
		}
		t, ok, err := ticketByNo(ctx, tx, p.City, p.Code, pair.Theirs.OpenedBy, pair.Theirs.Ticket)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, Compare([]Line{*pair.Theirs}, []Line{{Ticket: t.No, OpenedBy: t.OpenedBy, PeerNo: t.PeerNo, Status: t.Status, Said: t.Said, Taken: t.Taken}})...)
			continue
		}
		out = append(out, pair)
	}
	return out, nil
}

// Days lists the looks at a platform's lists, the newest first.
func (s *Service) Days(ctx context.Context, by actor.Actor, city int, platform string) ([]Day, error) {
	if err := wholeCity(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Day, error) { return daysOf(ctx, tx, city, platform) })
}

// OnDay shows the differences of a day.
func (s *Service) OnDay(ctx context.Context, by actor.Actor, city int, platform string, day civil.Date) (DayView, error) {
	if err := wholeCity(by, city); err != nil {
		return DayView{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (DayView, error) {
		p, err := platformIn(ctx, tx, city, platform)
		if err != nil {
			return DayView{}, err
		}
		d, ok, err := dayIn(ctx, tx, p, day)
		if err != nil {
			return DayView{}, err
		}
		if !ok {
			d = Day{City: city, Platform: platform, Day: day}
		}
		v := DayView{Day: d, Differences: []Difference{}}
		list, err := differencesOf(ctx, tx, p, day)
		v.Differences = append(v.Differences, list...)
		return v, err
	})
}

// wholeCity is for those who see all tickets of the city: the lists of a day know no scope.
func wholeCity(by actor.Actor, city int) error {
	if by.ScopeOf(actor.ExchangeRead, city).All {
		return nil
	}
	if err := by.May(actor.ExchangeRead, actor.On{City: city}); err != nil {
		return err
	}
	return fault.New(fault.Denied, "denied.scope")
}

// Look has the lists of a day compared now.
func (s *Service) Look(ctx context.Context, by actor.Actor, city int, platform string, day civil.Date) (DayView, error) {
	if err := by.May(actor.ExchangeManage, actor.On{City: city}); err != nil {
		return DayView{}, err
	}
	p, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Platform, error) { return platformIn(ctx, tx, city, platform) })
	if err != nil {
		return DayView{}, err
	}
	if err := s.compare(ctx, p, day); err != nil {
		return DayView{}, fault.Wrap(err, fault.Down, "exchange.no_list", "platform", p.Name)
	}
	return s.OnDay(ctx, by, city, platform, day)
}

// Repairing names a difference.
type Repairing struct {
	City     int        `json:"-" form:"-"`
	Platform string     `json:"-" form:"-"`
	Day      civil.Date `json:"day" form:"day"`
	OpenedBy Side       `json:"opened_by" form:"opened_by"`
	No       string     `json:"ticket" form:"ticket"`
}

// Repair has a difference mended: what we miss is asked for, what they miss goes again.
func (s *Service) Repair(ctx context.Context, by actor.Actor, in Repairing) (Difference, error) {
	if err := by.May(actor.ExchangeManage, actor.On{City: in.City}); err != nil {
		return Difference{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Difference, error) {
		d, err := differenceIn(ctx, tx, in)
		if err != nil {
			return d, err
		}
		if d.State != DiffOpen && d.State != DiffRepairing {
			return d, fault.New(fault.Conflict, "exchange.mended_before")
		}
		d.State, d.Error, d.RepairedBy = DiffRepairing, "", by.ID
		if err := saveDifference(ctx, tx, d); err != nil {
			return d, err
		}
		body := map[string]any{"day": in.Day.String(), "ticket": d.No, "kind": d.Kind}
		if err := audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "platform:" + d.Platform, Act: "exchange.repair", Body: body}); err != nil {
			return d, err
		}
		return d, jobs.Add(ctx, tx, in.City, repairing{d.Platform, in.Day.String(), string(d.OpenedBy), d.No}, jobs.When{})
	})
}

// repair is the job behind Repair; it compares the day again, so that what is mended shows as such.
func (s *Service) repair(ctx context.Context, j jobs.Job, a repairing) error {
	day, err := civil.ParseDate(a.Day)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "jobs.bad_args")
	}
	in := Repairing{City: j.City, Platform: a.Platform, Day: day, OpenedBy: Side(a.OpenedBy), No: a.No}
	var p Platform
	var t Ticket
	d, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Difference, error) {
		var err error
		if p, err = platformIn(ctx, tx, j.City, a.Platform); err != nil {
			return Difference{}, err
		}
		if t, _, err = ticketByNo(ctx, tx, j.City, a.Platform, in.OpenedBy, a.No); err != nil {
			return Difference{}, err
		}
		return differenceIn(ctx, tx, in)
	})
	if err != nil || d.State != DiffRepairing {
		return err
	}
	mended := s.mend(ctx, p, t, d)
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		d.State, d.RepairedAt, d.Error = DiffRepaired, tx.Now, ""
		if mended != nil {
			d.State, d.RepairedAt, d.Error = DiffOpen, 0, reason(mended)
		}
		return saveDifference(ctx, tx, d)
	})
}

func (s *Service) mend(ctx context.Context, p Platform, t Ticket, d Difference) error {
	if d.Theirs != nil && (t.ID == "" || d.Theirs.Said > t.Taken) {
		if err := s.fetch(ctx, p, d.OpenedBy, d.No, t.Taken+1); err != nil {
			return fmt.Errorf("fetch what is missing of %s: %w", d.No, err)
		}
	}
	if d.Ours == nil {
		return nil
	}
	from := int64(1)
	if d.Theirs != nil {
		from = d.Theirs.Taken + 1
	}
	err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := again(ctx, tx, t, from); err != nil {
			return err
		}
		return s.wake(ctx, tx, t)
	})
	if err != nil {
		return err
	}
	return s.deliver(ctx, p.City, t.ID)
}
