package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/place"
)

// ProposeArea writes down what befell a stretch, with its evidence; nothing follows from it before the authority determines it.
func (s *Service) ProposeArea(ctx context.Context, by actor.Actor, in AreaInput) (Area, error) {
	if err := by.May(actor.RefundClaim, actor.On{City: in.City, Station: in.Station}); err != nil {
		return Area{}, err
	}
	if err := in.check(); err != nil {
		return Area{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Area, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Area, error) {
			a := Area{
				City: in.City, ID: tx.NewID(), Season: in.Season, Kind: in.Kind, Station: in.Station, Zone: in.Zone, Community: in.Community,
				Building: place.BuildingNo(in.Building), From: in.From, To: in.To, Unauthorised: in.Unauthorised, Reason: in.Reason, Bearer: in.Bearer,
				Evidence: in.Evidence, State: Draft, MadeBy: by.ID, Made: tx.Now, Version: 1,
			}
			if err := db.Insert(ctx, tx, "refund_area", &a); err != nil {
				return Area{}, fmt.Errorf("propose a determination: %w", err)
			}
			return a, noteArea(ctx, tx, by, a, "refund.area_propose")
		})
	})
}

func noteArea(ctx context.Context, tx *db.Tx, by actor.Actor, a Area, act string) error {
	return audit.Record(ctx, tx, by, a.City, audit.Act{Subject: "refund_area:" + a.ID, Act: act, Public: true, Body: map[string]any{
		"season": a.Season, "kind": a.Kind, "station": a.Station, "zone": a.Zone, "community": a.Community, "building": a.Building, "from": a.From, "to": a.To,
		"reason": a.Reason, "bearer": a.Bearer, "evidence": a.Evidence, "state": a.State, "reached": a.Reached,
	}})
}

// DetermineInput is the input of Determine: the hours as the authority fixes them.
type DetermineInput struct {
	City    int           `json:"-" form:"-"`
	ID      string        `json:"-" form:"-"`
	From    civil.Instant `json:"from" form:"from"`
	To      civil.Instant `json:"to" form:"to"`
	Void    bool          `json:"void" form:"void"` // nothing of it is paid for
	Version int64         `json:"version" form:"version"`
}

// Determine is the authority's determination (停热时长认定): the record then reaches every household of the stretch, without a
// request. A determination can be corrected or voided later; the households follow.
func (s *Service) Determine(ctx context.Context, by actor.Actor, in DetermineInput) (Area, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Area, error) {
		was, err := findArea(ctx, tx, in.City, in.ID)
		if err != nil {
			return Area{}, err
		}
		if err := by.May(actor.RefundDecide, actor.On{City: in.City, Station: was.Station}); err != nil {
			return Area{}, err
		}
		if was.Version != in.Version {
			return Area{}, fault.New(fault.Conflict, "settle.moved")
		}
		var c fault.Check
		c.That(in.Void || !in.From.IsZero(), "from", "field.required")
		c.That(in.Void || in.To.IsZero() || in.To.After(in.From), "to", "settle.ends_first")
		if err := c.Err(); err != nil {
			return Area{}, err
		}
		a := was
		a.State, a.DecidedBy, a.Decided, a.After, a.Spread, a.Reached = Determined, by.ID, tx.Now, "", false, 0
		if in.Void {
			a.State = AreaVoid
		} else {
			a.From, a.To = in.From, in.To
		}
		if a, err = saveArea(ctx, tx, was, a); err != nil {
			return Area{}, err
		}
		if err := jobs.Add(ctx, tx, in.City, spreadArgs{City: in.City, ID: a.ID}, jobs.When{Unique: "settle.spread:" + a.ID}); err != nil {
			return Area{}, err
		}
		return a, noteArea(ctx, tx, by, a, "refund.area_determine")
	})
}

// Areas lists the determinations of a season and those that wait.
func (s *Service) Areas(ctx context.Context, by actor.Actor, city int, season string) ([]Area, error) {
	if err := mayAny(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Area, error) { return areasOf(ctx, tx, city, season) })
}

// spreadArgs are a job that brings a determination to the households of its stretch.
type spreadArgs struct {
	City int    `json:"city"`
	ID   string `json:"id"`
}

// Kind implements jobs.Args.
func (spreadArgs) Kind() string { return "settle.spread" }

func (s *Service) spread(ctx context.Context, _ jobs.Job, a spreadArgs) error {
	return s.SpreadArea(ctx, a.City, a.ID)
}

// perSpread is how many households a transaction of spreading reaches: few enough that nobody waits for the writer.
const perSpread = 100

// SpreadArea brings a determination to every household of its stretch, some at a time; cut short, it goes on where it was.
func (s *Service) SpreadArea(ctx context.Context, city int, id string) error {
	by := actor.SystemFor("settle", actor.Job)
	for {
		done, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
			was, err := findArea(ctx, tx, city, id)
			if err != nil || was.Spread || was.State == Draft {
				return true, err
			}
			homes, err := s.o.Places.HomesAfterIn(ctx, tx, city, was.stretch(), was.After, perSpread)
			if err != nil {
				return false, err
			}
			a := was
			if len(homes) == 0 {
				a.Spread = true
			} else {
				a.After = homes[len(homes)-1].Account
				if err := s.spreadTo(ctx, tx, by, &a, homes); err != nil {
					return false, err
				}
			}
			if a, err = saveArea(ctx, tx, was, a); err != nil {
				return false, err
			}
			if !a.Spread {
				return false, nil
			}
			return true, noteArea(ctx, tx, by, a, "refund.area_spread")
		})
		if err != nil || done {
			return err
		}
	}
}

func (s *Service) spreadTo(ctx context.Context, tx *db.Tx, by actor.Actor, a *Area, homes []place.Home) error {
	t, err := s.termsIn(ctx, tx, a.City, a.Season)
	if err != nil {
		return err
	}
	g, err := s.gather(ctx, tx, a.City, t, homes)
	if err != nil {
		return err
	}
	for _, h := range homes {
		c, known := g.claims[h.Account]
		events, err := own(c.Facts)
		if err != nil {
			return err
		}
		if err := s.reckonOne(ctx, tx, by, g, h, events); err != nil {
			return err
		}
		if _, has := g.claims[h.Account]; has || known {
			a.Reached++
		}
	}
	return nil
}
