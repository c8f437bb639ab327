package web

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

func (v fieldView) href(c cases.Case) string { return at("/f/{city}/cases/", c.City) + c.ID }

// dates are the orders with an agreed window, earliest first.
func (v fieldView) dates() []cases.Case {
	var out []cases.Case
	for _, c := range v.page.Items {
		if _, ok := v.agreed[c.ID]; ok {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b cases.Case) int { return int(v.agreed[a.ID].From - v.agreed[b.ID].From) })
	return out
}

// leftClass colours what is left of a time limit; the words say the same.
func leftClass(ctx context.Context, due civil.Instant) string {
	switch now := ui.Now(ctx); {
	case due.IsZero():
		return ""
	case !now.Before(due):
		return "over"
	case due.Sub(now) < 2*time.Hour:
		return "soon"
	}
	return ""
}

// pressing are the running time limits that a worker can keep, the one that ends first in front.
func (v fieldCaseView) pressing() []clock.Clock {
	out := slices.DeleteFunc(v.running(), func(k clock.Clock) bool { return k.Due.IsZero() || k.Code == citypack.ClockReturn })
	slices.SortStableFunc(out, func(a, b clock.Clock) int { return cmp.Compare(a.Due, b.Due) })
	return out
}

// say is what a form is called in the list of what is not sent yet.
func (v fieldCaseView) say(ctx context.Context, a fieldAct) string {
	return text.Msg("field.queued", "act", ui.T(ctx, a.key), "address", v.Case.Address).In(httpx.Lang(ctx))
}

// after is where the worker goes on when a form is received: an order that was given back is no longer theirs.
func (v fieldCaseView) after(a fieldAct) string {
	if a.name == "give_back" {
		return v.back
	}
	return v.href("")
}

func (v fieldCaseView) offersName(name string) bool {
	return slices.ContainsFunc(v.acts(), func(a fieldAct) bool { return a.name == name })
}

// besideOf says whether a feedback would be the second one.
func (v fieldCaseView) besideOf() string {
	if v.isFedBack() {
		return "yes"
	}
	return ""
}

// verb is the button's word: after a conflict it says that both versions were read.
func (v fieldCaseView) verb() string {
	switch {
	case len(v.theirs) > 0 && v.isFedBack():
		return "field.beside"
	case len(v.theirs) > 0:
		return "field.anyway"
	}
	return "field.send"
}

// needsProof reports what the pack asks of "nobody home".
func (v fieldCaseView) needsProof(what string) bool {
	return slices.Contains(v.names.rules.Pack.Options(v.Case.UpdatedAt).NotHomeProofs, what)
}

// roomName says a sort of room; one that only this city knows is said as its rules write it.
func roomName(ctx context.Context, t string) string { return firstKey(ctx, t, "field.room."+t) }

func roomOptions(ctx context.Context, types []string) []ui.Option {
	out := make([]ui.Option, len(types))
	for i, t := range types {
		out[i] = ui.Option{Value: t, Text: roomName(ctx, t)}
	}
	return out
}

func conditionOptions(ctx context.Context, all []citypack.Statement) []ui.Option {
	out := make([]ui.Option, len(all))
	for i, s := range all {
		out[i] = ui.Option{Value: s.Code, Text: phrase(ctx, s.Text)}
	}
	return out
}

// degrees writes a coordinate with the digits that a telephone means.
func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
