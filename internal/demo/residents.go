package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/sim"
)

// settled is how many residents of the demonstration have their home bound.
const settled = 3

// moveIn binds the homes of a few residents, those with a matter under way first, as staff do who heard their consent. It
// gives the telephones that they log in with.
func moveIn(ctx context.Context, a *app.App, c *sim.City) ([]string, error) {
	open, err := a.Cases.List(ctx, owner, sim.Code, cases.Filter{State: "open", Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		return nil, fmt.Errorf("look for residents: %w", err)
	}
	homes := make([]sim.Household, 0, settled)
	take := func(h sim.Household) {
		fits := secret.IsMobile(secret.NormalPhone(h.Phone)) && !slices.ContainsFunc(homes, func(o sim.Household) bool { return o.Phone == h.Phone })
		if fits && len(homes) < settled {
			homes = append(homes, h)
		}
	}
	byAccount := map[string]sim.Household{}
	for _, h := range c.Households {
		byAccount[h.Account] = h
	}
	for _, one := range open.Items {
		if h, ok := byAccount[one.Account]; ok {
			take(h)
		}
	}
	for _, h := range c.Households[:min(len(c.Households), 50)] {
		take(h)
	}
	var out []string
	for _, h := range homes {
		_, err := a.Residents.TakeConsent(ctx, owner, resident.ConsentInput{
			City: sim.Code, Account: h.Account, Phone: h.Phone, Role: resident.Member, Reason: "demo",
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			return nil, fmt.Errorf("bind the home of a resident: %w", err)
		}
		out = append(out, secret.NormalPhone(h.Phone))
	}
	return out, nil
}
