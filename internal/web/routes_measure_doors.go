package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// doorsView counts how visits went at the door, company by company; each number leads to its measurements.
type doorsView struct {
	names measureNames
	city  int
	query measure.DoorsQuery
	all   measure.DoorsOf
}

// doorCells are the counts of a company in the order of the columns.
func doorCells(d measure.Doors) []int {
	out := []int{d.Visits, d.Met, d.NobodyHome, d.RefusedByUser, d.RefusedByCompany, d.Unable}
	for _, c := range measure.Causes() {
		out = append(out, d.Causes[c])
	}
	return out
}

// doorKeys are the names of those columns.
func doorKeys() []string {
	out := []string{"measurepage.doors_visits"}
	for _, o := range measure.Outcomes() {
		out = append(out, "measure_outcome."+string(o))
	}
	for _, c := range measure.Causes() {
		out = append(out, "measure_cause."+string(c))
	}
	return out
}

func doorColumns() []ui.Col {
	out := []ui.Col{{Key: "measurepage.company"}} // takes what the counts leave
	for _, k := range doorKeys() {
		out = append(out, ui.Col{Key: k, Ch: 7, Num: true})
	}
	return out
}

// rows is the list of measurements with such a visit.
func (v doorsView) rows(o measure.Outcome, company string) string {
	q := url.Values{"outcome": {string(o)}, "show": {"all"}}
	if company != "" {
		q.Set("company", company)
	}
	return withQuery(at(measureList, v.city), q)
}

// total adds up all companies.
func (v doorsView) total() measure.Doors {
	out := measure.Doors{Causes: map[measure.Cause]int{}}
	for _, d := range v.all.Items {
		out.Visits, out.Met, out.NobodyHome = out.Visits+d.Visits, out.Met+d.Met, out.NobodyHome+d.NobodyHome
		out.RefusedByUser, out.RefusedByCompany, out.Unable = out.RefusedByUser+d.RefusedByUser, out.RefusedByCompany+d.RefusedByCompany, out.Unable+d.Unable
		for c, n := range d.Causes {
			out.Causes[c] += n
		}
	}
	return out
}

func (w *Web) doorsView(r *http.Request) (doorsView, error) {
	v := doorsView{city: httpx.City(r.Context())}
	q, err := httpx.Bind[struct {
		measure.DoorsQuery
		Format sheet.Format `form:"format"`
	}](r)
	if err != nil {
		return v, err
	}
	v.query = q.DoorsQuery
	if v.names, err = w.measureNames(r); err != nil {
		return v, err
	}
	v.all, err = w.Measure.Doors(r.Context(), by(r), v.city, v.query)
	return v, err
}

// measureDoors shows the counts.
func (w *Web) measureDoors(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.doorsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("measurepage.doors"), Nav: "measure", Body: doorsBody(v)})
}

// measureDoorsExport sends them as a table.
func (w *Web) measureDoorsExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.doorsView(r)
	if err != nil {
		return err
	}
	return w.sendSheet(rw, r, "measurement-doors", append([]string{"measurepage.company"}, doorKeys()...), func(out sheet.Writer) error {
		for _, d := range v.all.Items {
			row := []any{v.names.short(r.Context(), d.Company)}
			for _, n := range doorCells(d) {
				row = append(row, strconv.Itoa(n))
			}
			if err := out.Row(row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// causeWords say why the company's own tester could not measure.
func causeWords(ctx context.Context, a measure.Arrival) string {
	if a.Cause == "" {
		return ""
	}
	return ui.T(ctx, "measure_cause."+string(a.Cause))
}
