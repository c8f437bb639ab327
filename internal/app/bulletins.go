package app

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/territory"
)

func (a *App) bulletins() (*bulletin.Service, error) {
	return bulletin.New(bulletin.Options{
		DB: a.DB, Ring: a.Ring, Places: a.Places, Notices: a.Notices, Rules: a.Rules.RulesIn, Area: a.communitiesOf, Jobs: a.Runner,
		Price: a.Config.SMS.Price, Sign: a.Config.SMS.Sign,
	})
}

// communitiesOf lists the communities of a service area.
func (a *App) communitiesOf(ctx context.Context, by actor.Actor, city int, code string) (name string, communities []string, err error) {
	areas, err := a.Territory.Areas(ctx, by, city, "")
	if err != nil {
		return "", nil, err
	}
	for _, x := range areas {
		if x.Code == code {
			name = x.Name
		}
	}
	if name == "" {
		return "", nil, fault.New(fault.NotFound, "not_found")
	}
	f := territory.ServedFilter{Area: code, Request: page.Request{Size: page.MaxSize}}
	for {
		some, err := a.Territory.Served(ctx, by, city, f)
		if err != nil {
			return "", nil, err
		}
		for _, c := range some.Items {
			communities = append(communities, c.ID)
		}
		if some.Next == "" {
			return name, communities, nil
		}
		f.After = some.Next
	}
}
