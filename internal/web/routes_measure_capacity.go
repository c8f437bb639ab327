package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const measureCapacity = measureList + "/capacity"

// capacityRoutes are where a company says how many homes it can measure in each part of a day (可约户数).
func (w *Web) capacityRoutes() []Route {
	return []Route{get(measureCapacity, may(actor.MeasureRead), w.capacityPage), post(measureCapacity, may(actor.MeasureAppoint), w.setCapacity)}
}

type capacityView struct {
	measure.CapacityView
	names measureNames
	city  int
	edit  bool // the reader is of the company
	form  ui.Form
}

// capacityPage shows how the next days are filled, and to the company's own people the form of its numbers.
func (w *Web) capacityPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[struct {
		Company string `form:"company"`
	}](r)
	if err != nil {
		return err
	}
	v, err := w.capacityView(r, q.Company)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page(ui.Form{}))
}

func (w *Web) capacityView(r *http.Request, company string) (capacityView, error) {
	v := capacityView{city: httpx.City(r.Context())}
	var err error
	if v.names, err = w.measureNames(r); err != nil {
		return v, err
	}
	own := by(r).Org
	if !v.names.isCompany(own) {
		own = ""
	}
	if company = cmp.Or(company, own); company == "" {
		return v, nil
	}
	v.edit = company == own && by(r).May(actor.MeasureAppoint, actor.On{City: v.city, Company: own}) == nil
	v.CapacityView, err = w.Measure.Capacity(r.Context(), by(r), v.city, company)
	return v, err
}

func (v capacityView) page(f ui.Form) Page {
	v.form = f
	return Page{Title: text.Msg("measurepage.capacity"), Nav: "measure_week", Body: capacityBody(v)}
}

// setCapacity sets numbers, or takes them away.
func (w *Web) setCapacity(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[measure.Setting](r)
	in.City, in.Key = httpx.City(r.Context()), formKey(r)
	if err == nil {
		_, err = w.Measure.SetCapacity(r.Context(), by(r), in)
	}
	if err == nil {
		return w.done(rw, r, at(measureCapacity, in.City), text.Msg("measurepage.capacity_saved"))
	}
	v, failed := w.capacityView(r, "")
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, v.page)
}

// isCompany reports whether a code is that of a heating company.
func (n *caseNames) isCompany(code string) bool {
	return slices.ContainsFunc(n.companies, func(o staff.Organisation) bool { return o.Code == code })
}

// partOptions and weekdayOptions are what a number may be set for.
func partOptions() []ui.Option { return wordOptions("measure_part."+each, measure.PartsOfDay()) }

func weekdayOptions() []ui.Option {
	var out []ui.Option
	for i, d := range weekdays() {
		out = append(out, ui.Option{Value: strconv.Itoa(i + 1), Key: "measurepage.weekday." + d})
	}
	return out
}

func weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// filled is a day of an area, or of what shares the company's numbers, with what is taken of each part.
type filled struct {
	day   civil.Date
	area  string
	parts map[measure.Part]measure.Half
}

func (v capacityView) filled() []filled {
	var out []filled
	for _, h := range v.Days {
		i := slices.IndexFunc(out, func(f filled) bool { return f.day == h.Day && f.area == h.Area })
		if i < 0 {
			i = len(out)
			out = append(out, filled{h.Day, h.Area, map[measure.Part]measure.Half{}})
		}
		out[i].parts[h.Part] = h
	}
	slices.SortStableFunc(out, func(a, b filled) int {
		return cmp.Or(cmp.Compare(a.day.String(), b.day.String()), cmp.Compare(a.area, b.area))
	})
	return out
}

// words say how many homes of how many a part has; a part without a number takes as many as are asked for.
func (f filled) words(ctx context.Context, p measure.Part) string {
	h, ok := f.parts[p]
	switch {
	case !ok:
		return "–"
	case h.Places == nil:
		return ui.T(ctx, "measurepage.capacity_free", "n", h.Taken)
	}
	return ui.T(ctx, "measurepage.capacity_of", "n", h.Taken, "places", *h.Places)
}

// full reports whether nobody can choose a part any more.
func (f filled) full(p measure.Part) bool {
	h := f.parts[p]
	return h.Places != nil && h.Taken >= *h.Places
}

func areaWords(ctx context.Context, area string) string {
	if area == "" {
		return ui.T(ctx, "measurepage.capacity_all_areas")
	}
	return area
}

// whenWords say for which days a number holds.
func whenWords(ctx context.Context, c measure.Capacity) string {
	switch {
	case c.Day != "":
		if d, err := civil.ParseDate(c.Day); err == nil {
			return dayName(ctx, d)
		}
		return c.Day
	case c.Weekday > 0:
		return ui.T(ctx, "measurepage.weekday."+weekdays()[c.Weekday-1])
	}
	return ui.T(ctx, "measurepage.capacity_every_day")
}

// capacityLink leads from the calendar to the numbers of the company that it shows.
func (v weekView) capacityLink() string {
	if v.query.Company == "" {
		return at(measureCapacity, v.city)
	}
	return withQuery(at(measureCapacity, v.city), url.Values{"company": {v.query.Company}})
}
