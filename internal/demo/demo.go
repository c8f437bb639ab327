// Package demo lets the invented city of package sim use the whole product: it fills the registers, hires the staff, lives
// through the winter up to a moment, and then goes on living in real time.
//
// Everything goes through the use cases that people use, each act by the one whose task it is; nothing is written past
// them. The city's clock is simulated, the machine's is not touched. Every act carries a key, so that a demonstration that
// was interrupted goes on where it stopped, and one that was finished is only taken up again.
package demo

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/sim"
)

// Options say which city lives, and until when it has lived already.
type Options struct {
	Seed       uint64
	At         civil.Instant // where the city's clock stands when people begin to look
	Households int
	Speed      float64         // of new calls afterwards; 0 for none
	Switch     *ctifake.Switch // at which callers ring afterwards; nil: they are written down at once
	// Met is told of the demonstration's 12345 once it is there; nil tells nobody.
	Met *atomic.Pointer[platformfake.Platform]
	// Progress is told how far a step has come, in hundredths; nil tells nobody.
	Progress func(step Step, percent int)
}

// Step is a part of the preparation. Its name on the screen is "demo.step.<name>".
type Step string

// The steps, in their order.
const (
	Building Step = "registers"
	Hiring   Step = "staff"
	Living   Step = "season"
)

// Login is one way in.
type Login struct {
	Role     string `json:"role"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// Info is what somebody needs to look around.
type Info struct {
	City       int      `json:"city"`
	Open311Key string   `json:"open311_key"`
	APIToken   string   `json:"api_token"`
	Logins     []Login  `json:"logins"`
	Residents  []string `json:"residents"` // telephones of residents whose homes are bound
}

// keysName marks the keys of a demonstration whose history is complete.
const keysName = "demonstration"

// Prepare makes sure that the city is there and has lived until At. A database that holds the whole history already is
// only looked through; the clock then stands no earlier than the last thing that happened.
func Prepare(ctx context.Context, a *app.App, o Options) (Info, error) {
	o = o.withDefaults()
	if err := a.AddCity(ctx, sim.Code); err != nil {
		return Info{}, fmt.Errorf("serve the city: %w", err)
	}
	c := sim.NewCity(o.Seed, o.Households)
	done, err := finished(ctx, a)
	if err != nil {
		return Info{}, err
	}
	if done.IsZero() {
		err = begin(ctx, a, c, o)
	} else {
		stand(a, done)
	}
	if err != nil {
		return Info{}, err
	}
	crew, err := hire(ctx, a, c, o, !done.IsZero())
	if err != nil {
		return Info{}, err
	}
	if done.IsZero() {
		if err := equip(ctx, a, c); err != nil {
			return Info{}, err
		}
		if err := live(ctx, a, sim.NewWinter(c), crew, o); err != nil {
			return Info{}, err
		}
	}
	if !done.IsZero() {
		if done, err = lastAct(ctx, a, done); err != nil {
			return Info{}, err
		}
	}
	run(a, max(o.At, done))
	info, err := crew.info(ctx, a)
	if err != nil {
		return Info{}, err
	}
	info.Residents, err = moveIn(ctx, a, c)
	return info, err
}

// begin fills the registers unless that is done. Ids follow from the seed and the clock: so that what was interrupted does
// not make the same ones again, the clock then stands where it did not stand before.
func begin(ctx context.Context, a *app.App, c *sim.City, o Options) error {
	last, err := lastAct(ctx, a, 0)
	if err != nil {
		return err
	}
	if !last.IsZero() {
		stand(a, last.Add(time.Millisecond))
		return nil
	}
	orgs, err := a.Staff.Organisations(ctx, owner, sim.Code, "")
	if err != nil {
		return err
	}
	stand(a, seasonEve)
	if len(orgs) > 0 {
		stand(a, seasonEve.Add(time.Duration(a.Machine().UnixMilli()%86_400_000)*time.Millisecond))
	}
	return fill(ctx, a, c, o)
}

// seasonEve is the morning on which the registers are filled.
var seasonEve = civil.On(civil.NewDate(2025, 11, 1), 8, 0)

func (o Options) withDefaults() Options {
	if o.Households <= 0 {
		o.Households = 20_000
	}
	if o.At.IsZero() {
		o.At = civil.On(civil.NewDate(2026, 1, 15), 8, 0)
	}
	if o.Progress == nil {
		o.Progress = func(Step, int) {}
	}
	return o
}

// stand stops the city's clock at an instant.
func stand(a *app.App, at civil.Instant) { a.DB.SetClock(func() civil.Instant { return at }) }

// run lets the city's clock go on from an instant as fast as the machine's.
func run(a *app.App, from civil.Instant) {
	began := a.Machine()
	a.DB.SetClock(func() civil.Instant { return from.Add(a.Machine().Sub(began).Truncate(time.Millisecond)) })
}

// fill takes the lists of companies and city over, as an owner would with `rehu import`.
func fill(ctx context.Context, a *app.App, c *sim.City, o Options) error {
	files := c.Files()
	for n, f := range files {
		kind := place.Kind(f.Kind)
		b, err := f.Bytes()
		if err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
		in := register.Request{City: sim.Code, Kind: kind, Version: f.Version, From: f.From, Source: f.Source, Name: f.Name}
		in.Progress = func(done, total int) { o.Progress(Building, (100*n+100*min(done, total)/max(total, 1))/len(files)) }
		if err := take(ctx, a, in, b); err != nil {
			return fmt.Errorf("import %s: %w", f.Name, err)
		}
	}
	o.Progress(Building, 100)
	return surround(ctx, a, c)
}
