package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// callRoutes are the queue as it stands, the calls, and who must be called back.
func (w *Web) callRoutes() []Route {
	if w.Calls == nil {
		return nil
	}
	read := may(actor.CallRead)
	return []Route{
		get("/c/{city}/calls", read, w.callFigures),
		get("/c/{city}/calls/live", read, w.callsLive),
		get("/c/{city}/calls/list", read, w.callList),
		get("/c/{city}/calls/export", read, w.callExport),
		get("/c/{city}/calls/{call}", read, w.callOne),
		post("/c/{city}/calls/{call}/listen", may(actor.CallListen), w.callListen),
		get("/c/{city}/call-backs", read, w.callBacks),
		post("/c/{city}/call-backs/{back}", may(actor.CallTake, actor.CallManage), w.callBackAct),
		post("/c/{city}/call-backs/{back}/number", may(actor.CallTake), w.callBackNumber),
	}
}

// ctiHook takes what the switch reports.
func (w *Web) ctiHook(rw http.ResponseWriter, r *http.Request) error {
	in, err := notice.FromRequest(r)
	if err != nil {
		return httpx.Malformed(err)
	}
	taken, err := w.Calls.Receive(r.Context(), httpx.City(r.Context()), in)
	if err != nil {
		return err
	}
	return writeJSON(rw, taken)
}

// ivrHook answers the voice menu.
func (w *Web) ivrHook(rw http.ResponseWriter, r *http.Request) error {
	in, err := notice.FromRequest(r)
	if err != nil {
		return httpx.Malformed(err)
	}
	reply, err := w.Calls.AskSigned(r.Context(), httpx.City(r.Context()), in)
	if err != nil {
		return err
	}
	return writeJSON(rw, reply)
}

type callFiguresView struct {
	city int
	day  civil.Date
	call.Figures
}

// callFigures is the queue and the day in half-hours.
func (w *Web) callFigures(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[struct {
		Day civil.Date `form:"day"`
	}](r)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	v := callFiguresView{city: httpx.City(r.Context()), day: q.Day}
	if v.day.IsZero() {
		v.day = w.o.Now().Date()
	}
	if v.Figures, err = w.Calls.Figures(r.Context(), by(r), v.city, v.day); err != nil {
		return err
	}
	p := Page{Title: text.Msg("callpage.title"), Nav: "calls", Body: callFiguresBody(v)}
	if isPart(r) {
		p.Body = callFiguresNow(v)
	} else if v.day == v.At.Date() {
		p.Live = at("/c/{city}/calls/live", v.city)
	}
	return w.show(rw, r, p)
}

// queueFigures are the queue as it stands and the day so far, as every screen of the centre shows them.
func queueFigures(ctx context.Context, f call.Figures) []ui.Stat {
	n := func(key string, value int, t ui.Tone) ui.Stat {
		return ui.Stat{Key: key, Value: strconv.Itoa(value), Tone: t}
	}
	late := ui.Tone("")
	if f.Late() {
		late = ui.Amber
	}
	level, tone := ui.T(ctx, "callpage.none_yet"), ui.Grey
	if _, ok := f.Level(f.Day); ok {
		level, tone = levelWords(f, f.Day), ""
		if f.Missed() {
			tone = ui.Amber
		}
	}
	return []ui.Stat{
		n("callpage.waiting", f.Waiting, late),
		{Key: "callpage.longest", Value: clockWords(f.Longest), Tone: late},
		n("callpage.ready", f.Ready, ""),
		n("callpage.busy", f.Busy, ""),
		n("callpage.away", f.Away(), ""),
		n("callpage.answered", f.Day.Answered, ""),
		n("callpage.lost", f.Day.Lost, ""),
		{Key: "callpage.level", Value: level, Tone: tone},
	}
}

// stats are the figures above, with what only those who plan look at.
func (v callFiguresView) stats(ctx context.Context) []ui.Stat {
	back := ui.Stat{Key: "callpage.backs", Value: strconv.Itoa(v.Backs), Href: at("/c/{city}/call-backs", v.city)}
	if v.Backs > 0 {
		back.Tone = ui.Amber
	}
	return append(queueFigures(ctx, v.Figures), back, ui.Stat{Key: "callpage.absorbed", Value: strconv.Itoa(v.Absorbed)})
}

// goalWords say what counts as in time, and who says so.
func goalWords(ctx context.Context, g call.Goal) string {
	if !g.Known() {
		return ui.T(ctx, "callpage.no_goal")
	}
	return ui.T(ctx, "callpage.level_help", "share", tenthsOf(int64(g.Share)), "within", int(g.Within.Seconds()), "source", goalSource(ctx, g.Source, g.Provisional))
}

// goalSource is where a target stands, and whether it still waits for the city.
func goalSource(ctx context.Context, source string, provisional bool) string {
	if provisional {
		source += ui.T(ctx, "callpage.provisional")
	}
	return source
}

// chart is the day in half-hours.
func (v callFiguresView) chart(ctx context.Context) ui.Chart {
	c := ui.Chart{ID: "calls", Title: ui.T(ctx, "callpage.by_half_hour"), NoTable: true, Quiet: true, Height: 180}
	answered, lost := ui.Series{Name: ui.T(ctx, "callpage.answered")}, ui.Series{Name: ui.T(ctx, "callpage.lost")}
	for _, s := range v.Slots {
		c.Labels = append(c.Labels, s.At.Clock())
		answered.Values = append(answered.Values, float64(s.Answered))
		lost.Values = append(lost.Values, float64(s.Lost))
	}
	c.Series = []ui.Series{answered, lost}
	return c
}

// busySlots are the half-hours in which somebody rang.
func (v callFiguresView) busySlots() []call.Slot {
	var out []call.Slot
	for _, s := range v.Slots {
		if s.Offered > 0 {
			out = append(out, s)
		}
	}
	return out
}

func levelWords(f call.Figures, s call.Slot) string {
	n, ok := f.Level(s)
	if !ok {
		return "–"
	}
	return tenthsOf(int64(n)) + "%"
}

type callListView struct {
	city  int
	query call.Filter
	list  page.Of[call.Call]
}

func (w *Web) callList(rw http.ResponseWriter, r *http.Request) error {
	v := callListView{city: httpx.City(r.Context())}
	q, err := httpx.Bind[call.Filter](r)
	if err == nil {
		err = q.Check()
	}
	status := http.StatusOK
	switch {
	case fault.Is(err, fault.Invalid):
		status = http.StatusUnprocessableEntity
	case err != nil:
		return err
	default:
		v.query = q
	}
	if v.list, err = w.Calls.List(r.Context(), by(r), v.city, v.query); err != nil {
		return err
	}
	return w.showAs(rw, r, status, ui.Staff, Page{Title: text.Msg("callpage.calls"), Nav: "call_list", Body: callListBody(v)})
}

// callExport sends every call of the filter as a table.
func (w *Web) callExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[call.Filter](r)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	keys := []string{"arrived", "direction", "caller", "state", "seat", "wait_s", "talk_s", "company", "outcome", "note", "ref"}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = "callpage." + k
	}
	return w.sendSheet(rw, r, "calls", columns, func(out sheet.Writer) error {
		return w.Calls.Export(ctx, by(r), city, q, func(c call.Call) error {
			outcome := ""
			if c.Outcome != "" {
				outcome = ui.T(ctx, "call.outcome."+string(c.Outcome))
			}
			return out.Row(c.ArrivedAt.Minute(), ui.T(ctx, "callpage.direction."+string(c.Direction)), c.Masked, ui.T(ctx, "call.state."+string(c.State)),
				c.Extension, c.WaitMS/1000, c.TalkMS/1000, c.Company, outcome, c.Note, c.Ref)
		})
	})
}

type callOneView struct {
	city int
	call.View
	listen bool
	heard  string // the recording's address, once it was asked for
	no     string // of the case
	form   ui.Form
}

func (w *Web) callOneView(r *http.Request) (callOneView, error) {
	ctx := r.Context()
	v := callOneView{city: httpx.City(ctx)}
	var err error
	if v.View, err = w.Calls.Get(ctx, by(r), v.city, param(r, "call")); err != nil {
		return v, err
	}
	v.listen = v.Recorded && by(r).MayAny(actor.CallListen, v.city)
	if v.Case != "" && w.Cases != nil {
		c, err := w.Cases.Get(ctx, by(r), v.city, v.Case)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return v, err
		}
		v.no = c.No
	}
	return v, nil
}

func callOnePage(v callOneView) Page {
	return Page{Title: text.Msg("callpage.one"), Nav: "call_list", Body: callOneBody(v)}
}

func (w *Web) callOne(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.callOneView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, callOnePage(v))
}

// callListen gives the address of a recording to whoever says why.
func (w *Web) callListen(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[call.Listening](r)
	address := ""
	if err == nil {
		in.City, in.Call = httpx.City(r.Context()), param(r, "call")
		address, err = w.Calls.Listen(r.Context(), by(r), in)
	}
	v, failed := w.callOneView(r)
	if failed != nil {
		return failed
	}
	if err != nil {
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return callOnePage(v)
		})
	}
	v.heard = address
	rw.Header().Set("Cache-Control", "no-store")
	return w.show(rw, r, callOnePage(v))
}

type callBacksView struct {
	city   int
	query  call.BackFilter
	list   page.Of[call.Back]
	me     string
	manage bool
	take   bool
	number string // of the one at hand, to dial by hand
	at     string
	now    civil.Instant
}

// callBacks lists who must be called back, the longest wait first, or who was.
func (w *Web) callBacks(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.callBacksView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, callBacksPage(v))
}

func (w *Web) callBacksView(r *http.Request) (callBacksView, error) {
	city := httpx.City(r.Context())
	v := callBacksView{city: city, me: by(r).ID, manage: by(r).MayAny(actor.CallManage, city), take: by(r).MayAny(actor.CallTake, city), now: w.o.Now()}
	v.query = call.BackFilter{Open: true}
	if r.Method == http.MethodGet {
		q, err := httpx.Bind[struct {
			All string `form:"all"`
			page.Request
		}](r)
		if err != nil && !fault.Is(err, fault.Invalid) {
			return v, err
		}
		v.query.Open, v.query.Request = q.All == "", q.Request
	}
	var err error
	v.list, err = w.Calls.Backs(r.Context(), by(r), city, v.query)
	return v, err
}

func callBacksPage(v callBacksView) Page {
	return Page{Title: text.Msg("callpage.backs_title"), Nav: "call_backs", Body: callBacksBody(v)}
}

// callBackAct takes a call-back, says how it went, gives it back or ends it.
func (w *Web) callBackAct(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[call.BackAct](r)
	back := at("/c/{city}/call-backs", httpx.City(r.Context()))
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), param(r, "back"), formKey(r)
		_, err = w.Calls.ActBack(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, back, "callpage.back_done")
}

// callBackNumber shows the number of a call-back to whoever took it; on record.
func (w *Web) callBackNumber(rw http.ResponseWriter, r *http.Request) error {
	n, err := w.Calls.Number(r.Context(), by(r), httpx.City(r.Context()), param(r, "back"))
	if err != nil {
		return w.refused(rw, r, err, at("/c/{city}/call-backs", httpx.City(r.Context())))
	}
	v, err := w.callBacksView(r)
	if err != nil {
		return err
	}
	v.number, v.at = n, param(r, "back")
	rw.Header().Set("Cache-Control", "no-store")
	return w.show(rw, r, callBacksPage(v))
}

func callPath(city int, id string) string { return at("/c/{city}/calls/", city) + url.PathEscape(id) }

func callTone(s call.State) ui.Tone {
	switch s {
	case call.InQueue, call.Rings:
		return ui.Violet
	case call.Talking, call.OnHold:
		return ui.Teal
	case call.Moved:
		return ui.Blue
	case call.Lost:
		return ui.Red
	case call.Over:
		return ui.Green
	case call.Arrived:
	}
	return ui.Grey
}

func backTone(s call.BackState) ui.Tone {
	switch s {
	case call.Waiting:
		return ui.Violet
	case call.Calling:
		return ui.Teal
	case call.BackDone, call.Merged:
		return ui.Green
	case call.Unreached:
		return ui.Amber
	case call.Dropped:
	}
	return ui.Grey
}

// orMasked is a masked number, or that it was withheld.
func orMasked(ctx context.Context, masked string) string {
	if masked == "" {
		return ui.T(ctx, "callpage.withheld")
	}
	return masked
}

func upper(s string) string { return strings.ToUpper(s) }

func callStates() []ui.Option {
	var out []ui.Option
	for _, s := range call.Lifecycle.Statuses() {
		out = append(out, ui.Option{Value: string(s), Key: "call.state." + string(s)})
	}
	return out
}

func outcomeWords(ctx context.Context, o call.Outcome) string {
	if o == "" {
		return ""
	}
	return ui.T(ctx, "call.outcome."+string(o))
}

// callSteps is what the switch reported, in the order in which it counts.
func callSteps(ctx context.Context, v callOneView) []ui.Step {
	out := make([]ui.Step, 0, len(v.Reports))
	for _, r := range v.Reports {
		out = append(out, ui.Step{At: r.At.Time().Format("15:04:05"), Title: ui.T(ctx, "call.kind."+string(r.Kind)), Who: r.Extension, Text: r.Company})
	}
	return out
}
