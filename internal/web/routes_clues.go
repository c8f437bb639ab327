package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// clueRoutes are the queue of what people write outside, and what is decided about each post.
func (w *Web) clueRoutes() []Route {
	if w.Clues == nil || w.Rules == nil {
		return nil
	}
	read, decide := mayInAll(actor.ClueRead), mayInAll(actor.ClueDecide)
	return []Route{
		get("/c/{city}/clues", read, w.clues),
		get("/c/{city}/clues/export", read, w.clueExport),
		get("/c/{city}/clues/changed", read, w.cluesChanged),
		get("/c/{city}/clues/{clue}", read, w.clue),
		get("/c/{city}/clues/{clue}/next", read, w.nextClue),
		post("/c/{city}/clues/{clue}/correct", decide, w.correctClue),
		post("/c/{city}/clues/{clue}/confirm", decide, w.confirmClue),
		post("/c/{city}/clues/{clue}/decide", decide, w.decideClue),
		post("/c/{city}/clues/{clue}/answer", decide, w.answerClue),
	}
}

type clueQuery struct {
	clue.Filter
	Format sheet.Format `form:"format"`
}

// cluesView is a page of the queue.
type cluesView struct {
	city  int
	query clue.Filter
	list  page.Of[clue.Clue]
	loads clue.Loads
	stats []clue.ByChannel
	names labels
	wrong bool
	drawn civil.Instant
}

// labels name a city's categories in the reader's language.
type labels map[string]text.Localized

func (l labels) of(ctx context.Context, code string) string {
	if n, ok := l[code]; ok {
		return n.In(httpx.Lang(ctx))
	}
	return code
}

func (w *Web) labels(ctx context.Context, city int) (labels, error) {
	r, err := w.Rules.Rules(ctx, city)
	if err != nil {
		return nil, err
	}
	out := labels{}
	for _, c := range r.Pack.Leaves() {
		out[c.Code] = c.Name
	}
	return out, nil
}

// clues shows the queue; without a filter, what is still to be decided.
func (w *Web) clues(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[clueQuery](r)
	if err == nil {
		err = q.Check()
	}
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	ctx := r.Context()
	v := cluesView{city: httpx.City(ctx), query: q.Filter, wrong: err != nil, drawn: w.o.Now()}
	if v.wrong {
		v.query = clue.Filter{}
	}
	if len(r.URL.Query()) == 0 || v.wrong {
		v.query.State = clue.Undecided
	}
	if v.list, err = w.Clues.List(ctx, by(r), v.city, v.query); err != nil {
		return err
	}
	if v.loads, err = w.Clues.Loads(ctx, by(r), v.city); err != nil {
		return err
	}
	if v.stats, err = w.Clues.Statistics(ctx, by(r), v.city, clue.Period{From: v.query.From, To: v.query.To}); err != nil {
		return err
	}
	if v.names, err = w.labels(ctx, v.city); err != nil {
		return err
	}
	status := http.StatusOK
	if v.wrong {
		status = http.StatusUnprocessableEntity
	}
	return w.showAs(rw, r, status, ui.Staff, Page{Title: text.Msg("cluepage.title"), Nav: "clues", Body: cluesBody(v)})
}

// cluesChanged is the bar above a queue in which something changed since it was drawn; the queue itself stays, with the line
// that is chosen and whatever is being typed.
func (w *Web) cluesChanged(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Since int64 `form:"since"`
	}](r)
	if err != nil {
		return err
	}
	city := httpx.City(r.Context())
	all, err := w.Clues.Changes(r.Context(), by(r), city, civil.Instant(in.Since))
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("cluepage.title"), Nav: "clues", Body: freshBar("cluepage.list_changed", "", len(all) > 0)})
}

// changedURL is where the queue asks for the bar.
func (v cluesView) changedURL() string {
	return at("/c/{city}/clues/changed", v.city) + "?since=" + strconv.FormatInt(int64(v.drawn), 10)
}

// clueExport sends every clue of the filter as a table.
func (w *Web) clueExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[clueQuery](r)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	names, err := w.labels(ctx, city)
	if err != nil {
		return err
	}
	keys := []string{"at", "channel", "author", "text", "guess", "category", "urgency", "place", "state", "reason", "case", "decided_by", "answered"}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = "cluepage." + k
	}
	return w.sendSheet(rw, r, "clues", columns, func(out sheet.Writer) error {
		return w.Clues.Export(ctx, by(r), city, q.Filter, func(c clue.Clue) error {
			return out.Row(c.At.Minute(), ui.T(ctx, "channel."+string(c.Channel)), c.Sender, c.Text, ui.T(ctx, "clue.guess."+string(c.Guess)), names.of(ctx, c.Category),
				ui.T(ctx, "urgency."+string(c.Urgency)), cluePlace(ctx, c), ui.T(ctx, "clue.state."+string(c.State)), c.Reason, c.CaseNo, c.DecidedBy, c.AnsweredAt.Minute())
		})
	})
}

// clueView is one clue with what can be decided about it.
type clueView struct {
	clue.View
	city  int
	names labels
	may   bool   // the reader decides
	tried string // the form that was refused
	form  ui.Form
}

func (w *Web) clueView(r *http.Request) (clueView, error) {
	ctx := r.Context()
	v := clueView{city: httpx.City(ctx)}
	v.may = mayInAll(actor.ClueDecide).allows(by(r), v.city) == nil
	var err error
	if v.View, err = w.Clues.Get(ctx, by(r), v.city, param(r, "clue")); err != nil {
		return v, err
	}
	v.names, err = w.labels(ctx, v.city)
	return v, err
}

func cluePageOf(v clueView) Page {
	return Page{Title: text.Msg("cluepage.one"), Nav: "clues", Body: clueBody(v)}
}

// clue shows one post.
func (w *Web) clue(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.clueView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, cluePageOf(v))
}

// clueAgain draws a clue's page with the form that was refused.
func (w *Web) clueAgain(rw http.ResponseWriter, r *http.Request, err error, tried string) error {
	v, failed := w.clueView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
		v.tried, v.form = tried, f
		return cluePageOf(v)
	})
}

// clueCase is what the person at the queue adds to a post.
type clueCase struct {
	Version int64    `form:"version"`
	Phone   string   `form:"phone"`
	Address string   `form:"address"`
	Room    string   `form:"room"`
	Test    string   `form:"test_request"`
	Reason  string   `form:"reason"`
	Others  []string `form:"others"`
	Alike   bool     `form:"alike"`

	Category string `form:"category"`
}

// confirmClue makes a case of a clue.
func (w *Web) confirmClue(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	in, err := httpx.Bind[clueCase](r)
	var got clue.Confirmation
	if err == nil {
		got, err = w.Clues.Confirm(ctx, by(r), clue.Confirming{
			City: city, ID: param(r, "clue"), Version: in.Version, Reason: in.Reason, Others: in.Others, Alike: in.Alike,
			Opening: cases.Opening{Category: in.Category, Caller: cases.Party{Phone: in.Phone}, Address: in.Address, Room: in.Room, TestRequest: in.Test},
		})
	}
	if err != nil {
		return w.clueAgain(rw, r, err, "confirm")
	}
	key := "cluepage.done.confirm"
	if got.Held {
		key = "cluepage.done.held"
	}
	return w.done(rw, r, cluePath(city, got.Clue.ID), text.Msg(key, "no", got.Case.No))
}

// nextClue goes to the clue that stands behind one in the queue; when nothing else waits, back to the queue.
func (w *Web) nextClue(rw http.ResponseWriter, r *http.Request) error {
	to, err := w.behind(r)
	if err != nil {
		return err
	}
	http.Redirect(rw, r, to, http.StatusSeeOther)
	return nil
}

func (w *Web) behind(r *http.Request) (string, error) {
	city := httpx.City(r.Context())
	c, found, err := w.Clues.Next(r.Context(), by(r), city, param(r, "clue"), clue.Filter{})
	if err != nil || !found {
		return at("/c/{city}/clues", city), err
	}
	return cluePath(city, c.ID), nil
}

// correctClue keeps how a post is to be read where the program read it wrongly.
func (w *Web) correctClue(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[clue.Correcting](r)
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), param(r, "clue"), formKey(r)
		_, err = w.Clues.Correct(r.Context(), by(r), in)
	}
	if err != nil {
		return w.clueAgain(rw, r, err, "correct")
	}
	return w.done(rw, r, cluePath(in.City, in.ID), text.Msg("cluepage.done.correct"))
}

// categories are the city's categories by their names.
func (v clueView) categories(ctx context.Context) []ui.Option {
	out := make([]ui.Option, 0, len(v.names))
	for _, code := range slices.Sorted(maps.Keys(v.names)) {
		out = append(out, ui.Option{Value: code, Text: v.names.of(ctx, code)})
	}
	return out
}

// word is the value of a corrected field in the reader's words.
func (v clueView) word(ctx context.Context, field, value string) string {
	switch {
	case value == "":
		return ""
	case field == "guess":
		return ui.T(ctx, "clue.guess."+value)
	case field == "urgency":
		return ui.T(ctx, "urgency."+value)
	case field == "category":
		return v.names.of(ctx, value)
	}
	return value
}

// decideClue links a clue, sets it aside or takes it up again, and goes back to the queue.
func (w *Web) decideClue(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[clue.Deciding](r)
	if err == nil {
		in.City, in.ID = city, param(r, "clue")
		_, err = w.Clues.Decide(r.Context(), by(r), in)
	}
	if err != nil {
		return w.clueAgain(rw, r, err, "decide")
	}
	to, err := w.behind(r)
	if err != nil {
		return err
	}
	if in.As == clue.Refute || in.As == clue.LinkTo || in.As == clue.Reconsider {
		to = cluePath(city, in.ID) // a word to the author is the next thing
	}
	return w.done(rw, r, to, text.Msg("cluepage.done.decide", "as", text.Msg("clue.decision."+string(in.As))))
}

// answerClue writes to the author through the channel.
func (w *Web) answerClue(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[clue.Answering](r)
	if err == nil {
		in.City, in.ID = city, param(r, "clue")
		_, err = w.Clues.Answer(r.Context(), by(r), in)
	}
	if err != nil {
		return w.clueAgain(rw, r, err, "answer")
	}
	return w.done(rw, r, cluePath(city, in.ID), text.Msg("cluepage.done.answer"))
}

func cluePath(city int, id string) string {
	return at("/c/{city}/clues/", city) + url.PathEscape(id)
}

// cluePlace is where a post says it is cold, as far as it says.
func cluePlace(ctx context.Context, c clue.Clue) string {
	out := c.Place
	if c.Building != "" {
		out += " " + ui.T(ctx, "cluepage.building", "no", c.Building)
	}
	return out
}

// tabs are the states of the queue and those who wait for a word.
func (v cluesView) tabs() []ui.Link {
	out := make([]ui.Link, 0, len(clue.States())+1)
	base := at("/c/{city}/clues", v.city)
	for _, s := range clue.States() {
		n := 0
		if s == clue.Undecided {
			n = v.loads.ByState[s]
		}
		out = append(out, ui.Link{Key: "clue.state." + string(s), Href: base + "?state=" + string(s), Current: v.query.State == s && !v.query.Owed, Count: n})
	}
	return append(out, ui.Link{Key: "cluepage.owed", Href: base + "?owed=true", Current: v.query.Owed, Count: v.loads.Owed})
}

func (v cluesView) narrowed() bool {
	q := v.query
	return q.Channel != "" || q.Guess != "" || q.Urgency != "" || q.Said != "" || !q.From.IsZero() || !q.To.IsZero() || q.Group != ""
}

// decisions are what can be made of a clue, confirming apart.
func (v clueView) decisions() []ui.Option {
	var out []ui.Option
	for _, s := range clue.Lifecycle.From(v.State) {
		if s.Event != clue.Confirm {
			out = append(out, ui.Option{Value: string(s.Event), Key: "clue.decision." + string(s.Event)})
		}
	}
	return out
}

// formOf is the state of one of the forms.
func (v clueView) formOf(name string) ui.Form {
	if v.tried == name {
		return v.form.As(name)
	}
	return ui.Form{}.As(name)
}

func (v clueView) path(act string) string { return cluePath(v.city, v.ID) + "/" + act }

// offered is the answer that the form starts with: that of the closed case, else a sentence for what was decided.
func (v clueView) offered(ctx context.Context) string {
	switch {
	case v.Offer != "" && !v.Public():
		return v.Offer
	case v.File != nil && !v.File.Open:
		return ui.T(ctx, "cluepage.template.closed")
	case v.State == clue.Confirmed, v.State == clue.Linked:
		return ui.T(ctx, "cluepage.template.accepted")
	case v.State == clue.Rumour:
		return ui.T(ctx, "cluepage.template.rumour")
	}
	return ""
}

func clueTone(s clue.State) ui.Tone {
	switch s {
	case clue.Undecided:
		return ui.Blue
	case clue.Rumour:
		return ui.Amber
	case clue.Confirmed, clue.Linked:
		return ui.Green
	case clue.NotHeating, clue.Spam:
	}
	return ui.Grey
}
