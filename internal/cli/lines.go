package cli

import (
	"context"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jsonl"
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
