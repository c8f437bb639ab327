package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// seatRoutes are the screen of a seat during a call.
func (w *Web) seatRoutes() []Route {
	if w.Cases == nil || w.Rules == nil || w.Territory == nil || w.Places == nil {
		return nil
	}
	take := may(actor.CaseOpen)
	return []Route{
		get("/c/{city}/seat", take, w.seat),
		post("/c/{city}/seat", take, w.seatSave),
		post("/c/{city}/seat/live", take, w.seatLive),
		post("/c/{city}/seat/remind", take, w.seatRemind),
		post("/c/{city}/seat/reopen", may(actor.CaseReopen), w.seatReopen),
		get("/c/{city}/seat/suggest", take, w.seatSuggest),
		get("/c/{city}/seat/categories", take, w.seatCategories),
	}
}

// seatInput is the seat's form. What is only on the screen begins with "_".
type seatInput struct {
	cases.Opening
	Act   string `form:"_act"`    // hold, check; empty saves and dispatches
	Told  string `form:"_answer"` // article and version that answers the question at once: "ID/NO"
	Find  string `form:"_q"`      // what is looked for in the knowledge
	Case  string `form:"_case"`   // earlier case that a key is about
	Pick  string `form:"_pick"`   // candidate of attribution that was chosen: "COMMUNITY|COMPANY"
	House string `form:"_house"`  // account of the household that was taken over
	Call  string `form:"_call"`   // the call that is at the telephone
}

// seat shows an empty form, and above it what became of the call before.
func (w *Web) seat(rw http.ResponseWriter, r *http.Request) error {
	in := seatInput{Opening: cases.Opening{Channel: cases.Phone}}
	v, err := w.seatView(r, in, ui.Form{})
	if err != nil {
		return err
	}
	if v.phone, err = w.phoneView(r); err != nil {
		return err
	}
	if id := r.URL.Query().Get("done"); id != "" {
		if v.done, err = w.Cases.Get(r.Context(), by(r), v.city, id); err != nil {
			return err
		}
		v.how = r.URL.Query().Get("how")
	}
	return w.show(rw, r, v.page())
}

// seatSave takes the matter in; with a key it is held, answered at once, or only looked at again.
func (w *Web) seatSave(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[seatInput](r)
	switch {
	case err != nil:
	case in.Pick != "" || in.House != "" || in.Act == "check":
		return w.seatCheck(rw, r, in)
	case in.Told != "":
		err = w.seatAnswer(r, &in)
	}
	var o cases.Opened
	if err == nil {
		in.City, in.Door, in.Key, in.Hold = httpx.City(r.Context()), seatDoor(in.Channel), formKey(r), in.Act == "hold"
		if err = w.seatNature(r, &in); err == nil {
			o, err = w.seatOpen(r, in)
		}
	}
	if err != nil {
		return w.seatShow(rw, r, in, err)
	}
	if o.Case.AboutOrg != "" { // the seat has done its part: others handle it, and it is not theirs to look at
		return w.done(rw, r, at("/c/{city}/seat", in.City), text.Msg("seat.about_done", "no", o.Case.No))
	}
	how := "saved"
	if o.Reminder {
		how = "reminded"
	}
	return w.seatDone(rw, r, o.Case, how)
}

// seatNature takes the nature of the category where the seat left it to the category.
func (w *Web) seatNature(r *http.Request, in *seatInput) error {
	rules, err := w.Rules.Rules(r.Context(), in.City)
	if err != nil || in.Nature != "" {
		return err
	}
	code := in.Category
	if g := rules.Pack.Classify(in.Text); code == "" && len(g) > 0 {
		code = g[0].Code
	}
	if c, ok := rules.Pack.Category(code); ok {
		in.Nature = c.Nature
	}
	return nil
}

// seatDoor is the door that a channel comes in by: at the counter another entry standard holds.
func seatDoor(c cases.Channel) citypack.Door {
	if c == cases.Counter {
		return citypack.DoorCounter
	}
	return citypack.DoorSeat
}

func (w *Web) seatDone(rw http.ResponseWriter, r *http.Request, c cases.Case, how string) error {
	q := url.Values{"done": {c.ID}, "how": {how}}
	return w.to(rw, r, withQuery(at("/c/{city}/seat", c.City), q))
}

// seatShow draws the form again with everything that was typed.
func (w *Web) seatShow(rw http.ResponseWriter, r *http.Request, in seatInput, wrong error) error {
	v, err := w.seatView(r, in, ui.FormOf(r, wrong))
	if err != nil {
		return err
	}
	if v.phone, err = w.phoneView(r); err != nil {
		return err
	}
	if wrong == nil {
		return w.show(rw, r, v.page())
	}
	return w.again(rw, r, wrong, ui.Staff, func(ui.Form) Page { return v.page() })
}

// seatCheck takes over what was chosen and shows the form again: the way without scripts.
func (w *Web) seatCheck(rw http.ResponseWriter, r *http.Request, in seatInput) error {
	if err := w.takeOver(r, &in); err != nil {
		return err
	}
	return w.seatShow(rw, r, in, nil)
}

// takeOver puts the company or the household that was chosen into the form.
func (w *Web) takeOver(r *http.Request, in *seatInput) error {
	if in.Pick != "" {
		community, company, _ := strings.Cut(in.Pick, "|")
		in.Community, in.Company = community, company
		retype(r, "community", community)
		retype(r, "company", company)
	}
	if in.House != "" {
		h, err := w.Places.Household(r.Context(), by(r), httpx.City(r.Context()), in.House)
		if err != nil {
			return err
		}
		for name, value := range houseFields(h) {
			retype(r, name, value)
		}
		in.Account, in.Community, in.Building, in.Unit, in.Room = h.Account, h.Community, h.Building, h.Unit, h.Room
		in.Address = houseAddress(h)
	}
	return nil
}

// retype puts a value into a form that is shown again.
func retype(r *http.Request, name, value string) {
	r.PostForm.Set(name, value)
	if r.MultipartForm != nil {
		r.MultipartForm.Value[name] = []string{value}
	}
}

// seatAnswer fills in the answer that an article gives.
func (w *Web) seatAnswer(r *http.Request, in *seatInput) error {
	if w.Knowledge == nil {
		return fault.New(fault.NotFound, "not_found")
	}
	id, no, _ := strings.Cut(in.Told, "/")
	n, err := strconv.Atoi(no)
	if err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	a, err := w.Knowledge.Read(r.Context(), by(r), httpx.City(r.Context()), id, n)
	if err != nil {
		return err
	}
	in.Answer, in.Article = a.Answer[text.ZH], in.Told
	if in.Text == "" {
		in.Text = a.TitleZH
	}
	if in.Nature == "" {
		in.Nature = citypack.Inquiry
	}
	return nil
}

// seatLive answers while the form is being filled in: who is responsible, what is still missing, who called before, what
// can be told. It never refuses: whatever cannot be read yet is left out.
func (w *Web) seatLive(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[seatInput](r)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	v, err := w.seatView(r, in, ui.FormOf(r, nil))
	if err != nil {
		return err
	}
	p := v.page()
	p.Part = seatParts(v)
	return w.show(rw, r, p)
}

// seatRemind counts a reminder call on an earlier case (催办来电).
func (w *Web) seatRemind(rw http.ResponseWriter, r *http.Request) error {
	return w.seatEarlier(rw, r, "reminded", func(ctx context.Context, in seatInput, act cases.Act) (cases.Case, error) {
		return w.Cases.Remind(ctx, by(r), cases.Reminder{Act: act, Channel: in.Channel, Text: in.Text})
	})
}

// seatReopen takes a closed case up again (重办).
func (w *Web) seatReopen(rw http.ResponseWriter, r *http.Request) error {
	return w.seatEarlier(rw, r, "reopened", func(ctx context.Context, in seatInput, act cases.Act) (cases.Case, error) {
		return w.Cases.Reopen(ctx, by(r), cases.Reopening{Act: act, Channel: in.Channel, Text: in.Text})
	})
}

func (w *Web) seatEarlier(rw http.ResponseWriter, r *http.Request, how string, do func(context.Context, seatInput, cases.Act) (cases.Case, error)) error {
	in, err := httpx.Bind[seatInput](r)
	var c cases.Case
	if err == nil {
		c, err = do(r.Context(), in, cases.Act{City: httpx.City(r.Context()), ID: in.Case, Key: formKey(r)})
	}
	if err == nil {
		err = w.seatBound(r, in, c, how)
	}
	if err != nil {
		return w.seatShow(rw, r, in, err)
	}
	return w.seatDone(rw, r, c, how)
}

// seatSuggestion is one proposal as static/js/suggest.js reads it.
type seatSuggestion struct {
	Value string            `json:"value"`
	Label string            `json:"label"`
	Hint  string            `json:"hint,omitempty"`
	Set   map[string]string `json:"set,omitempty"` // fields that go with it
}

// seatSuggest proposes communities from two characters or initials on.
func (w *Web) seatSuggest(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	found, err := w.Territory.Suggest(r.Context(), by(r), city, strings.TrimSpace(r.URL.Query().Get("q")), suggestions)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	out := make([]seatSuggestion, 0, len(found))
	for _, s := range found {
		hint := s.District
		if s.Company != "" {
			hint += " · " + names.org(r.Context(), s.Company)
		}
		if s.Why != s.Name {
			hint = s.Why + " · " + hint
		}
		out = append(out, seatSuggestion{Value: s.Name, Label: s.Name, Hint: hint, Set: map[string]string{"community": s.CommunityID}})
	}
	return writeJSON(rw, out)
}

// suggestions is how many proposals are shown while typing.
const suggestions = 8

// seatCategories proposes categories whose name or words hold what was typed, else those that the words speak for.
func (w *Web) seatCategories(rw http.ResponseWriter, r *http.Request) error {
	rules, err := w.Rules.Rules(r.Context(), httpx.City(r.Context()))
	if err != nil {
		return err
	}
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	l := httpx.Lang(r.Context())
	out := []seatSuggestion{}
	for _, c := range rules.Pack.Leaves() {
		words := c.Name.ZH + "\n" + strings.ToLower(c.Name.EN) + "\n" + strings.Join(c.Keywords, "\n")
		if q != "" && strings.Contains(words, strings.ToLower(q)) && len(out) < suggestions {
			out = append(out, seatSuggestion{Value: c.Name.In(l), Label: c.Name.In(l), Set: map[string]string{"category": c.Code}})
		}
	}
	return writeJSON(rw, out)
}

func writeJSON(rw http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(b) // the client is gone: nobody to tell
	return nil
}
