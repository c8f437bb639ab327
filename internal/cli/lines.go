package cli

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/territory"
)

// lines answers standard input line by line.
func (r *run) lines(answer jsonl.Answer) error {
	bad, err := jsonl.Run(r.ctx, r.In, r.Out, answer, jsonl.Options{Lang: r.lang, OnError: func(line int, err error) {
		r.note("cli.line_failed", "line", line, "why", err.Error())
	}})
	if err != nil {
		return err
	}
	if bad {
		return errBadLines
	}
	return nil
}

// deadlineCmd computes due times.
type deadlineCmd struct {
	where
	Pack string `name:"pack" placeholder:"FILE" help:"${pack_file}"`
}

// Run implements the command.
func (c *deadlineCmd) Run(r *run) error {
	cfg, err := c.settings(r)
	if err != nil {
		return err
	}
	if !named(cfg) {
		set, err := app.LoadPacks(cfg.Packs)
		if err == nil && c.Pack != "" {
			set, err = citypack.LoadFile(set, c.Pack)
		}
		if err != nil {
			return err
		}
		return r.deadlines(packRules(set))
	}
	if c.Pack != "" {
		return fault.New(fault.Invalid, "cli.pack_or_data")
	}
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	return r.deadlines(a.Rules.Rules)
}

// rulesOf gives the rules of a city.
type rulesOf func(ctx context.Context, city int) (*citypack.Rules, error)

// packRules are the rules as the packs say them, where there is no installation whose city decided anything.
func packRules(set *citypack.Set) rulesOf {
	return func(_ context.Context, city int) (*citypack.Rules, error) {
		p, err := set.City(city)
		if err != nil {
			return nil, err
		}
		return &citypack.Rules{Pack: p, Calendar: calendar.Embedded()}, nil
	}
}

func (r *run) deadlines(rules rulesOf) error {
	named := func(city int, rule string, at civil.Instant) (calendar.Limit, calendar.Shifts, bool, []calendar.Step, error) {
		of, err := rules(r.ctx, city)
		if err != nil {
			return calendar.Limit{}, nil, false, nil, citypack.AboutCity(err)
		}
		return of.RuleLimit(rule, at)
	}
	return r.lines(jsonl.Of(func(line calendar.Line) (calendar.Answer, error) {
		days := calendar.Embedded()
		switch of, err := rules(r.ctx, int(line.City)); {
		case err == nil:
			days = of.Calendar
		case !fault.Is(err, fault.NotFound): // a limit that is given needs no pack
			return calendar.Answer{}, err
		}
		return days.Answer(line, named)
	}))
}

// attributeCmd says which company serves a flat.
type attributeCmd struct {
	where
	City int    `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	At   string `name:"at" placeholder:"DATE" help:"${attribute_at}"`
}

// Run implements the command.
func (c *attributeCmd) Run(r *run) error {
	at, err := dayFlag("at", c.At)
	if err != nil {
		return err
	}
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Packs.City(c.City); err != nil {
		return err
	}
	by := actor.SystemFor("attribute", actor.Command)
	return r.lines(jsonl.Of(func(q territory.Query) (territory.Answer, error) {
		q.ID = nil // the id is echoed by whoever reads the lines
		if !at.IsZero() {
			q.At = at.Start()
		}
		return a.Territory.Attribute(r.ctx, by, c.City, q)
	}))
}

// dayFlag reads a day that a flag gives; absent is no day.
func dayFlag(name, s string) (civil.Date, error) {
	if s == "" {
		return civil.Date{}, nil
	}
	d, err := civil.ParseDate(s)
	if err != nil {
		var c fault.Check
		c.Add("--"+name, "field.not_a_date")
		return d, c.Err()
	}
	return d, nil
}
