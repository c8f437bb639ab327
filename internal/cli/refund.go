package cli

import (
	"context"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/refund"
)

// refundCmd computes refunds.
type refundCmd struct {
	where
	Pack string `name:"pack" placeholder:"FILE" help:"${pack_file}"`
}

// Run implements the command.
func (c *refundCmd) Run(r *run) error {
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
		return r.refunds(packRules(set), set)
	}
	if c.Pack != "" {
		return fault.New(fault.Invalid, "cli.pack_or_data")
	}
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	return r.refunds(a.Rules.Rules, a.Packs)
}

func (r *run) refunds(rules rulesOf, set *citypack.Set) error {
	all := set.Rules()
	byID := func(id string) (citypack.RefundRule, bool) {
		rule, ok := all[id]
		return rule, ok
	}
	return r.lines(jsonl.Of(func(line refund.Line) (refund.AnswerLine, error) {
		of, err := cityOrNamed(r.ctx, rules, int(line.City), line.Rule)
		if err != nil {
			return refund.AnswerLine{}, err
		}
		return refund.Answer(line, of, byID)
	}))
}

// cityOrNamed gives the rules of a city. A rule that is named needs no city's pack.
func cityOrNamed(ctx context.Context, rules rulesOf, city int, rule string) (*citypack.Rules, error) {
	of, err := rules(ctx, city)
	switch {
	case err == nil:
		return of, nil
	case fault.Is(err, fault.NotFound) && rule != "":
		return &citypack.Rules{Pack: &citypack.Pack{}, Calendar: calendar.Embedded()}, nil
	}
	return nil, citypack.AboutCity(err)
}
