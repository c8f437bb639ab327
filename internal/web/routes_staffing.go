package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// staffingRoutes are the forecast of calls, the seats that it needs, and their roster.
func (w *Web) staffingRoutes() []Route {
	if w.Staffing == nil {
		return nil
	}
	read, edit := may(actor.StaffingRead), may(actor.StaffingEdit)
	return []Route{
		get("/c/{city}/staffing", read, w.staffing),
		get("/c/{city}/staffing/export", read, w.staffingExport),
		post("/c/{city}/staffing/shift", edit, w.staffingShift),
		post("/c/{city}/staffing/drop", edit, w.staffingDrop),
		post("/c/{city}/staffing/copy", edit, w.staffingCopy),
		post("/c/{city}/staffing/settings", edit, w.staffingSettings),
	}
}

type staffingView struct {
	city int
	staffing.Plan
	edit  bool
	which string // the form that was refused
	form  ui.Form
}

func (w *Web) staffingView(r *http.Request, q staffing.Question) (staffingView, error) {
	v := staffingView{city: httpx.City(r.Context())}
	v.edit = by(r).MayAny(actor.StaffingEdit, v.city)
	var err error
	v.Plan, err = w.Staffing.Plan(r.Context(), by(r), v.city, q)
	return v, err
}

func staffingPage(v staffingView) Page {
	return Page{Title: text.Msg("staffingpage.title"), Nav: "staffing", Body: staffingBody(v)}
}

// staffing is a day's forecast beside its roster.
func (w *Web) staffing(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[staffing.Question](r)
	if err == nil {
		err = q.Check()
	}
	status := http.StatusOK
	if fault.Is(err, fault.Invalid) {
		q, status = staffing.Question{}, http.StatusUnprocessableEntity
	} else if err != nil {
		return err
	}
	v, err := w.staffingView(r, q)
	if err != nil {
		return err
	}
	return w.showAs(rw, r, status, ui.Staff, staffingPage(v))
}

// staffingExport sends the day as a table.
func (w *Web) staffingExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[staffing.Question](r)
	if err != nil {
		return err
	}
	v, err := w.staffingView(r, q)
	if err != nil {
		return err
	}
	keys := []string{"half_hour", "calls", "low", "high", "came", "seats", "needed", "have", "gap", "level"}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = "staffingpage." + k
	}
	return w.sendSheet(rw, r, "staffing", columns, func(out sheet.Writer) error {
		for _, n := range v.Slots {
			var seats, needed any = n.Seats, n.Rostered // numbers, for whoever reckons on
			if n.Seats == 0 {
				seats, needed = "", ""
			}
			_, _, level := needWords(n)
			if err := out.Row(n.At.Minute(), tenth(n.Calls), tenth(n.Low), tenth(n.High), cameWords(n), seats, needed, n.Have, n.Gap(), level); err != nil {
				return err
			}
		}
		return nil
	})
}

func staffingAt(city int, day civil.Date) string {
	return withQuery(at("/c/{city}/staffing", city), url.Values{"day": {day.String()}})
}

// staffingAgain shows the page again with what is wrong in one of its forms.
func (w *Web) staffingAgain(rw http.ResponseWriter, r *http.Request, which string, day civil.Date, err error) error {
	v, failed := w.staffingView(r, staffing.Question{Day: day})
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
		v.which, v.form = which, f
		return staffingPage(v)
	})
}

func (w *Web) staffingShift(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[staffing.Shift](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Staffing.Roster(r.Context(), by(r), in)
	}
	day := civil.Date{}
	if !in.From.IsZero() {
		day = in.From.Date()
	}
	if err != nil {
		return w.staffingAgain(rw, r, "shift", day, err)
	}
	return w.done(rw, r, staffingAt(in.City, day), text.Msg("staffingpage.saved"))
}

func (w *Web) staffingDrop(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		staffing.Shift
		Day civil.Date `form:"day"`
	}](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		err = w.Staffing.Drop(r.Context(), by(r), in.Shift)
	}
	return w.after(rw, r, err, staffingAt(in.City, in.Day), "staffingpage.dropped")
}

func (w *Web) staffingCopy(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[staffing.Copying](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		_, err = w.Staffing.Copy(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, staffingAt(in.City, in.To), "staffingpage.copied")
}

func (w *Web) staffingSettings(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[staffing.Settings](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Staffing.Set(r.Context(), by(r), in)
	}
	if err != nil {
		return w.staffingAgain(rw, r, "settings", civil.Date{}, err)
	}
	return w.done(rw, r, at("/c/{city}/staffing", in.City), text.Msg("staffingpage.saved"))
}

func tenth(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func whole(f float64) string { return strconv.FormatFloat(f, 'f', 0, 64) }

func partWords(f float64) string { return strconv.FormatFloat(f*100, 'f', 0, 64) + "%" }

func cameWords(n staffing.Need) string {
	if n.Came == nil {
		return ""
	}
	return strconv.Itoa(*n.Came)
}

// needWords are what a half-hour needs; nothing where nobody said how soon calls are to be answered.
func needWords(n staffing.Need) (seats, needed, level string) {
	if n.Seats == 0 {
		return "", "", ""
	}
	return strconv.Itoa(n.Seats), strconv.Itoa(n.Rostered), tenthsOf(int64(n.Level)) + "%"
}

func (v staffingView) formOf(which string) ui.Form {
	if v.which == which {
		return v.form.As(which)
	}
	return ui.Form{}.As(which)
}

func (v staffingView) stats(ctx context.Context) []ui.Stat {
	missing, worst := v.Missing()
	gap := ui.Stat{Key: "staffingpage.gaps", Value: strconv.Itoa(missing)}
	if missing > 0 {
		gap.Tone, gap.Value = ui.Red, ui.T(ctx, "staffingpage.gap_words", "n", missing, "worst", worst)
	}
	most := 0
	for _, n := range v.Slots {
		most = max(most, n.Rostered)
	}
	need := strconv.Itoa(most)
	if !v.Settings.HasGoal() {
		need, gap.Value = "–", "–"
	}
	return []ui.Stat{
		{Key: "staffingpage.total", Value: ui.T(ctx, "staffingpage.range", "mid", whole(v.Total.Mid), "low", whole(v.Total.Low), "high", whole(v.Total.High))},
		{Key: "staffingpage.temp", Value: tenth(v.TempC) + " ℃"},
		{Key: "staffingpage.most", Value: need},
		gap,
		{Key: "staffingpage.error", Value: v.errorWords(ctx)},
	}
}

func (v staffingView) errorWords(ctx context.Context) string {
	if v.Test.Days == 0 {
		return ui.T(ctx, "staffingpage.untested")
	}
	return partWords(v.Test.DayError)
}

// calls is the day's forecast with its range.
func (v staffingView) calls(ctx context.Context) ui.Chart {
	c := ui.Chart{ID: "forecast", Title: ui.T(ctx, "staffingpage.chart_calls"), NoTable: true, Quiet: true, Height: 200}
	mid, low, high := ui.Series{Name: ui.T(ctx, "staffingpage.calls")}, ui.Series{Name: ui.T(ctx, "staffingpage.low")}, ui.Series{Name: ui.T(ctx, "staffingpage.high")}
	for _, n := range v.Slots {
		c.Labels = append(c.Labels, n.At.Clock())
		mid.Values, low.Values, high.Values = append(mid.Values, n.Calls), append(low.Values, n.Low), append(high.Values, n.High)
	}
	c.Series = []ui.Series{mid, low, high}
	return c
}

// need is the roster that the day needs beside the one it has.
func (v staffingView) need(ctx context.Context) ui.Chart {
	c := ui.Chart{ID: "need", Title: ui.T(ctx, "staffingpage.chart_need"), NoTable: true, Quiet: true, Height: 200}
	need, have := ui.Series{Name: ui.T(ctx, "staffingpage.needed")}, ui.Series{Name: ui.T(ctx, "staffingpage.have")}
	for _, n := range v.Slots {
		c.Labels = append(c.Labels, n.At.Clock())
		need.Values, have.Values = append(need.Values, float64(n.Rostered)), append(have.Values, float64(n.Have))
	}
	c.Series = []ui.Series{need, have}
	return c
}

// why takes the forecast apart in words: an ordinary day, and what each thing multiplies it by.
func (v staffingView) why(ctx context.Context) string {
	parts := []string{ui.T(ctx, "staffingpage.ordinary", "n", whole(v.Ordinary))}
	for _, f := range v.Factors {
		parts = append(parts, ui.T(ctx, "staffing.factor."+f.Name, "times", strconv.FormatFloat(f.Times, 'f', 2, 64)))
	}
	return ui.T(ctx, "staffingpage.why", "parts", strings.Join(parts, ui.T(ctx, "staffingpage.times")), "total", whole(v.Total.Mid))
}

// goal is what the seats are worked out for, and who says so.
func (v staffingView) goal(ctx context.Context) string {
	s := v.Settings
	if !s.HasGoal() {
		return ui.T(ctx, "staffingpage.no_goal")
	}
	return ui.T(ctx, "staffingpage.goal", "target", tenthsOf(int64(s.Target)), "within", s.Within, "source", goalSource(ctx, s.Source, s.Provisional))
}

// ownSource is why the centre set its own target; whoever sets one says it anew.
func ownSource(s staffing.Settings) string {
	if s.Version == 0 {
		return ""
	}
	return s.Source
}

// orBlank is a number of a form; 0 is none.
func orBlank(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
