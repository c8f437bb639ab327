package settle

import (
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
)

// covers reports whether a household lies on the stretch.
func (a Area) covers(h place.Home) bool {
	return (a.Station == "" || a.Station == h.Station) && (a.Zone == "" || a.Zone == h.Zone) &&
		(a.Community == "" || a.Community == h.Community) && (a.Building == "" || a.Building == h.Building)
}

func (a Area) stretch() place.Stretch {
	return place.Stretch{Station: a.Station, Zone: a.Zone, Community: a.Community, Building: a.Building}
}

// events are what the record means for a home on the stretch.
func (a Area) events() []refund.Event {
	e := refund.Event{At: a.From, Level: refund.LevelArea, Record: a.record()}
	switch a.Kind {
	case AreaStop:
		e.Type, e.Unauthorised = refund.Stopped, a.Unauthorised
		if a.To.IsZero() {
			return []refund.Event{e}
		}
		return []refund.Event{e, {Type: refund.Resumed, At: a.To, Level: refund.LevelArea, Record: e.Record}}
	case AreaLateStart:
		e.Type = refund.LateStarted
	case AreaEarlyEnd:
		e.Type = refund.EarlyEnded
	case AreaExcluded:
		e.Type, e.Until, e.Code, e.Accepted = refund.Excluded, a.To, a.Reason, &yes
	}
	return []refund.Event{e}
}

// AreaInput is the input of ProposeArea: what befell a stretch, with the evidence of its hours.
type AreaInput struct {
	City         int           `json:"-" form:"-"`
	Season       string        `json:"season" form:"season"`
	Kind         AreaKind      `json:"kind" form:"kind"`
	Station      string        `json:"station" form:"station"`
	Zone         string        `json:"zone" form:"zone"`
	Community    string        `json:"community" form:"community"`
	Building     string        `json:"building" form:"building"`
	From         civil.Instant `json:"from" form:"from"`
	To           civil.Instant `json:"to" form:"to"`
	Unauthorised *bool         `json:"unauthorised" form:"unauthorised"`
	Reason       string        `json:"reason" form:"reason"`
	Bearer       string        `json:"bearer" form:"bearer"`
	Evidence     []Evidence    `json:"evidence" form:"evidence"`
	Key          string        `json:"-" form:"-"`
}

func (in AreaInput) check() error {
	var c fault.Check
	c.That(fee.IsSeason(in.Season), "season", "fee.bad_season", "value", in.Season)
	kinds := []AreaKind{AreaStop, AreaLateStart, AreaEarlyEnd, AreaExcluded}
	c.That(known(kinds, in.Kind), "kind", "field.required")
	c.That(in.Station+in.Community != "", "station", "settle.no_stretch")
	c.That(in.Building == "" || in.Community != "", "community", "field.required")
	c.That(!in.From.IsZero(), "from", "field.required")
	c.That(in.To.IsZero() || in.To.After(in.From), "to", "settle.ends_first")
	c.That(in.Kind != AreaExcluded || in.Reason != "" && !in.To.IsZero(), "reason", "field.required")
	c.That(len([]rune(in.Reason+in.Bearer)) <= 200, "reason", "field.too_long", "max", 200)
	c.That(len(in.Evidence) > 0, "evidence", "settle.evidence_needed")
	for i, e := range in.Evidence {
		at := "evidence." + strconv.Itoa(i)
		c.That(known(Sources(), e.Source), at+".source", "field.required")
		c.That(len([]rune(e.Note)) <= 1000, at+".note", "field.too_long", "max", 1000)
	}
	return c.Err()
}

func known[T comparable](list []T, v T) bool {
	return slices.Contains(list, v)
}

// record names the determination among the events of a claim.
func (a Area) record() string { return "area:" + a.ID }

// areasAmong are the determinations that the claim's events came from.
func (c Claim) areasAmong(all []Area) ([]Area, error) {
	if len(all) == 0 {
		return nil, nil
	}
	events, err := UnpackEvents(c.Facts)
	if err != nil {
		return nil, err
	}
	counted := make(map[string]bool, len(events))
	for _, e := range events {
		counted[e.Record] = true
	}
	return slices.DeleteFunc(all, func(a Area) bool { return a.State != Determined || !counted[a.record()] }), nil
}
