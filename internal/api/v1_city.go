package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
)

// category is one kind of matter with what each door asks about it.
type category struct {
	Code        string           `json:"code"`
	Name        citypack.Phrase  `json:"name"`
	Parent      string           `json:"parent,omitempty"`
	Kind        citypack.Kind    `json:"kind"`
	Nature      citypack.Nature  `json:"nature"`
	Urgency     citypack.Urgency `json:"urgency"`
	Keywords    []string         `json:"keywords,omitempty"`
	Required    []string         `json:"required"`
	Recommended []string         `json:"recommended"`
}

// limit is a time limit as it holds at an instant; without a value the pack knows none.
type limit struct {
	Clock string               `json:"clock"`
	Name  citypack.Phrase      `json:"name"`
	Party citypack.Party       `json:"party"`
	Limit *citypack.LimitValue `json:"limit"`
}

// seasons are what is known of the heating seasons.
type seasons struct {
	Now      *citypack.Season     `json:"now"` // the season of the instant that is asked about
	Phase    citypack.Phase       `json:"phase"`
	Declared []citypack.SeasonAct `json:"declared"`
}

func (v *v1) cityOperations() {
	read, territories := []actor.Permission{actor.PackRead}, []actor.Permission{actor.TerritoryRead}
	at := func(name, path string, may []actor.Permission, tag string) Operation {
		return Operation{Name: name, Method: http.MethodGet, Path: "/cities/{city}" + path, Permissions: may, tag: tag}
	}
	ask(v, at("list_categories", "/categories", nil, "rules"), v.categories)
	ask(v, at("list_limits", "/limits", read, "rules"), v.limits)
	ask(v, at("list_values", "/values", read, "rules"), func(ctx context.Context, c caller, _ none) (page.Of[citypack.Value], error) {
		list, err := v.Rules.ListValues(ctx, c.by, c.city)
		return whole(list), err
	})
	ask(v, at("list_seasons", "/seasons", read, "rules"), v.seasons)
	act(v, Operation{Name: "deadline", Method: http.MethodPost, Path: "/cities/{city}/deadline", tag: "rules"}, v.deadline)
	act(v, Operation{Name: "attribute", Method: http.MethodPost, Path: "/cities/{city}/attribute", Permissions: territories, tag: "places"}, v.attribute)
	ask(v, at("suggest", "/suggest", territories, "places"), func(ctx context.Context, c caller, q struct {
		Query string `form:"q"`
		Limit int    `form:"limit"`
	},
	) (page.Of[territory.Suggestion], error) {
		list, err := v.Territory.Suggest(ctx, c.by, c.city, q.Query, min(max(q.Limit, 0), page.MaxSize))
		return whole(list), err
	})
	ask(v, at("list_companies", "/companies", territories, "places"), func(ctx context.Context, c caller, _ none) (page.Of[place.Company], error) {
		list, err := v.Places.Companies(ctx, c.by, c.city)
		return whole(list), err
	})
	ask(v, at("list_communities", "/communities", territories, "places"), func(ctx context.Context, c caller, f place.CommunityFilter) (page.Of[place.Community], error) {
		return full(v.Places.Communities(ctx, c.by, c.city, f))
	})
	ask(v, at("show_community", "/communities/{community}", territories, "places"), func(ctx context.Context, c caller, _ none) (place.Community, error) {
		return v.Places.Community(ctx, c.by, c.city, c.param("community"))
	})
	ask(v, at("list_buildings", "/communities/{community}/buildings", territories, "places"), func(ctx context.Context, c caller, _ none) (page.Of[place.Building], error) {
		list, err := v.Places.BuildingsOf(ctx, c.by, c.city, c.param("community"))
		return whole(list), err
	})
	ask(v, at("list_households", "/households", territories, "places"), v.households)
	ask(v, at("show_household", "/households/{account}", territories, "places"), func(ctx context.Context, c caller, _ none) (place.Household, error) {
		return v.Places.Household(ctx, c.by, c.city, c.param("account"))
	})
}

func (v *v1) households(ctx context.Context, c caller, a place.Address) (page.Of[place.Household], error) {
	if a.Community == "" {
		return page.Of[place.Household]{}, refuse("community", "field.required")
	}
	list, err := v.Places.At(ctx, c.by, c.city, a)
	return whole(list), err
}

func (v *v1) categories(ctx context.Context, c caller, q struct {
	Door citypack.Door `form:"door"`
},
) (page.Of[category], error) {
	doors := []citypack.Door{"", citypack.DoorSeat, citypack.DoorPeak, citypack.DoorWeb, citypack.DoorAPI, citypack.DoorImport, citypack.DoorOpen311, citypack.DoorCounter}
	if !slices.Contains(doors, q.Door) {
		return page.Of[category]{}, refuse("door", "field.not_one_of", "allowed", "seat, peak, web, api, import, open311, counter")
	}
	if q.Door == "" {
		q.Door = citypack.DoorAPI
	}
	r, err := v.Rules.Rules(ctx, c.city)
	if err != nil {
		return page.Of[category]{}, err
	}
	out := []category{}
	for _, one := range r.Pack.Leaves() {
		k := category{
			Code: one.Code, Name: one.Name, Kind: one.Kind, Nature: one.Nature, Urgency: one.Urgency, Keywords: one.Keywords,
			Required: some(r.Pack.Required(one, string(q.Door))), Recommended: some(r.Pack.Recommended(one, string(q.Door))),
		}
		if up := one.Parent(); up != nil {
			k.Parent = up.Code
		}
		out = append(out, k)
	}
	return whole(out), nil
}

func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// limitQuery asks for the limits of a kind of matter.
type limitQuery struct {
	Category string           `form:"category"`
	Urgency  citypack.Urgency `form:"urgency"`
	County   string           `form:"county"`
	At       civil.Instant    `form:"at"`
}

func (v *v1) limits(ctx context.Context, c caller, q limitQuery) (page.Of[limit], error) {
	r, err := v.Rules.Rules(ctx, c.city)
	if err != nil {
		return page.Of[limit]{}, err
	}
	var cat *citypack.Category
	if q.Category != "" {
		var ok bool
		if cat, ok = r.Pack.Category(q.Category); !ok {
			return page.Of[limit]{}, refuse("category", "case.no_such_category", "code", shown(q.Category))
		}
	}
	if q.At.IsZero() {
		q.At = v.o.Now()
	}
	if q.Urgency == "" {
		q.Urgency = citypack.Normal
	}
	out := []limit{}
	for code, k := range r.Pack.Doc.Clocks {
		if cat != nil && len(k.Kinds) > 0 && !slices.Contains(k.Kinds, cat.Kind) {
			continue
		}
		one := limit{Clock: code, Name: k.Name, Party: k.Party}
		if value, ok := r.Limit(code, cat, q.Urgency, q.At, q.County); ok {
			one.Limit = &value
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y limit) int { return strings.Compare(x.Clock, y.Clock) })
	return whole(out), nil
}

func (v *v1) seasons(ctx context.Context, c caller, q struct {
	At     civil.Instant `form:"at"`
	County string        `form:"county"`
},
) (seasons, error) {
	r, err := v.Rules.Rules(ctx, c.city)
	if err != nil {
		return seasons{}, err
	}
	if q.At.IsZero() {
		q.At = v.o.Now()
	}
	out := seasons{Phase: r.Phase(q.At, q.County)}
	if now, ok := r.Season(q.At, q.County); ok {
		out.Now = &now
	}
	list, err := v.Rules.ListSeasons(ctx, c.by, c.city)
	out.Declared = whole(list).Items
	return out, err
}

// deadline computes a due time, as "rehu deadline" does for a line.
func (v *v1) deadline(ctx context.Context, c caller, in calendar.Line) (calendar.Answer, error) {
	if in.City == 0 {
		in.City = calendar.CityCode(c.city)
	}
	if int(in.City) != c.city {
		return calendar.Answer{}, refuse("city", "httpx.no_such_city")
	}
	r, err := v.Rules.Rules(ctx, c.city)
	if err != nil {
		return calendar.Answer{}, err
	}
	return r.Calendar.Answer(in, func(_ int, rule string, at civil.Instant) (calendar.Limit, calendar.Shifts, bool, []calendar.Step, error) {
		return r.RuleLimit(rule, at)
	})
}

// where is a question of attribution, as a line of "rehu attribute", with the day whose territories hold.
type where struct {
	territory.Query
	At civil.Date `json:"at"`
}

func (v *v1) attribute(ctx context.Context, c caller, in where) (territory.Answer, error) {
	if !in.At.IsZero() {
		in.Query.At = in.At.Start()
	}
	return v.Territory.Attribute(ctx, c.by, c.city, in.Query)
}
