package web

import (
	"context"
	"net/url"

	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

func (v satisfactionView) formAt(id string) ui.Form {
	if v.at == id {
		return v.form.As(id)
	}
	return ui.Form{}.As(id)
}

// ratesQuery leads back to the figures that a list came from.
func (v satisfactionView) ratesQuery() url.Values {
	q := v.values()
	for _, name := range []string{"company", "station", "district", "category"} {
		q.Del(name)
	}
	return q
}

// rowsWords says which rows a list holds.
func (v satisfactionView) rowsWords(ctx context.Context) string {
	words := v.query.From.String() + " – " + v.query.To.String()
	if v.query.Period != "" {
		words = ui.T(ctx, "callbackpage.fixed_rows")
	}
	if v.query.Rate != "" {
		words += " · " + ui.T(ctx, "callback.rate."+string(v.query.Rate))
	}
	if v.query.Place != "" {
		words += " · " + placeWords(ctx, v.query.Place)
	}
	if v.query.Rework {
		words += " · " + ui.T(ctx, "callbackpage.rework")
	}
	return words
}

func sampleTone(s callback.SampleState) ui.Tone {
	if s == callback.Answered {
		return ui.Green
	}
	return ui.Amber
}

func appealTone(s callback.AppealState) ui.Tone {
	switch s {
	case callback.Upheld:
		return ui.Green
	case callback.Refused:
		return ui.Red
	case callback.Asked:
	}
	return ui.Amber
}

// periodHref opens fixed figures, apart as the reader has them.
func (v satisfactionView) periodHref(p callback.Period) string {
	return withQuery(at(satisfactionPath, v.city), url.Values{"period": {p.ID}, "by": {string(v.query.By)}})
}

// periodWords names fixed days by their edition.
func periodWords(ctx context.Context, p callback.Period) string {
	return p.From.String() + " – " + p.To.String() + " · " + ui.T(ctx, "callbackpage.edition", "n", p.Edition)
}

// excuseWords is why an upheld appeal took an outcome out of a rate.
func excuseWords(ctx context.Context, o callback.Outcome, r callback.Rate) string {
	for _, x := range o.Excuses {
		if x.Rate == r {
			return ui.T(ctx, "callback.reason."+string(x.Reason))
		}
	}
	return ""
}
