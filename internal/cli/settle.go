package cli

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/settle"
)

// settleCmd reckons a season's refunds.
type settleCmd struct {
	where
	City   int    `name:"city" required:"" placeholder:"CODE" help:"${city}"`
	Season string `name:"season" required:"" placeholder:"YYYY-YYYY" help:"${settle_season}"`
	Period string `name:"period" placeholder:"YYYY-MM" help:"${settle_period}"`
	JSON   bool   `name:"json" help:"${json}"`
}

// settled is what the command prints for programs.
type settled struct {
	settle.Settlement
	Total settle.Total `json:"total"`
	Books settle.Books `json:"books"`
}

// Run implements the command.
func (c *settleCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	by := actor.SystemFor("settle", actor.Command)
	p := r.progress()
	x, err := a.Settle.Settle(r.ctx, by, settle.RunInput{
		City: c.City, Season: c.Season, Period: c.Period, Progress: func(done, total int64) { p.of(int(done), int(total)) },
	})
	p.done()
	if err != nil {
		return err
	}
	console, err := a.Settle.Console(r.ctx, by, c.City, c.Season)
	if err != nil {
		return err
	}
	if c.JSON {
		return r.json(settled{x, console.Total, console.Books})
	}
	t := console.Total
	err = r.line("cli.settled", "no", x.No, "upto", x.Upto.String(), "claims", x.Claims, "amount", t.Amount.Yuan(), "payable", t.Payable.Yuan(),
		"open", t.Open.Yuan(), "refused", t.Refused.Yuan())
	if err == nil && x.Provisional {
		r.note("cli.settled_provisional", "rule", x.Rule)
	}
	return err
}
