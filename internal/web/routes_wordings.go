package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// wordingsView is the list of messages with the city's own words, and one of them opened to be worded.
type wordingsView struct {
	city    int
	query   wordingQuery
	list    []notice.Wording
	waiting int
	open    *notice.Wording
	approve bool
	me      string
	form    ui.Form
}

// wordingQuery narrows the list; template and lang open one.
type wordingQuery struct {
	Query    string    `form:"q"`
	Only     string    `form:"only"` // own, draft
	Template string    `form:"template"`
	Lang     text.Lang `form:"language"`
}

func (q wordingQuery) fits(x notice.Wording) bool {
	switch {
	case q.Only == "draft" && x.Draft == nil, q.Only == "own" && x.Current == nil:
		return false
	case q.Query == "":
		return true
	}
	return strings.Contains(strings.ToLower(x.Template+x.Standard), strings.ToLower(q.Query))
}

func (w *Web) wordingsView(r *http.Request, q wordingQuery) (wordingsView, error) {
	ctx := r.Context()
	v := wordingsView{city: httpx.City(ctx), query: q, me: by(r).ID}
	all, err := w.Notices.Wordings(ctx, by(r), v.city)
	if err != nil {
		return v, err
	}
	v.approve = by(r).MayAny(actor.NoticeApprove, v.city)
	for _, x := range all {
		if x.Draft != nil {
			v.waiting++
		}
		if x.Template == q.Template && x.Lang == q.Lang {
			v.open = &x
		}
		if q.fits(x) && (x.Lang == httpx.Lang(ctx) || x.Draft != nil || q.Only != "") {
			v.list = append(v.list, x)
		}
	}
	return v, nil
}

func wordingsPage(v wordingsView) Page {
	return Page{Title: text.Msg("wording.title"), Nav: "wordings", Body: wordingsBody(v)}
}

// wordings lists the messages of the program with the words that the city gave them.
func (w *Web) wordings(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[wordingQuery](r)
	if err != nil {
		return err
	}
	v, err := w.wordingsView(r, q)
	if err != nil {
		return err
	}
	return w.show(rw, r, wordingsPage(v))
}

// word takes the city's own words for one message.
func (w *Web) word(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[notice.WordingInput](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Notices.Word(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.wordingsView(r, wordingQuery{Template: in.Template, Lang: in.Lang})
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return wordingsPage(v)
		})
	}
	return w.done(rw, r, wordingPath(in.City, in.Template, in.Lang), text.Msg("wording.done.written"))
}

// decideWording approves or refuses an edition.
func (w *Web) decideWording(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[notice.WordingDecision](r)
	in.City, in.ID = httpx.City(r.Context()), param(r, "wording")
	if err == nil {
		_, err = w.Notices.DecideWording(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, at("/c/{city}/messages/wordings?only=draft", in.City), "wording.done.decided")
}

func wordingPath(city int, template string, l text.Lang) string {
	return withQuery(at("/c/{city}/messages/wordings", city), url.Values{"template": {template}, "language": {string(l)}})
}

// costsView is what messages cost in some days.
type costsView struct {
	city  int
	query costQuery
	list  []notice.Cost
	form  ui.Form
}

type costQuery struct {
	From civil.Date `form:"from"`
	To   civil.Date `form:"to"`
}

// messageCosts adds up what messages cost, by channel and class; the present month unless asked.
func (w *Web) messageCosts(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[costQuery](r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if q.To.IsZero() {
		q.To = w.o.Now().Date()
	}
	if q.From.IsZero() {
		year, month, _ := w.o.Now().Time().Date()
		q.From = civil.NewDate(year, month, 1)
	}
	v := costsView{city: httpx.City(ctx), query: q}
	if v.list, err = w.Notices.Costs(ctx, by(r), v.city, q.From, q.To); err != nil {
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return costsPage(v)
		})
	}
	return w.show(rw, r, costsPage(v))
}

func costsPage(v costsView) Page {
	return Page{Title: text.Msg("messagepage.costs"), Nav: "messages", Body: costsBody(v)}
}

// refuseMessages keeps what a caller does not want to be told.
func (w *Web) refuseMessages(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[notice.RefuseInput](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		err = w.Notices.Refuse(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, at("/c/{city}/messages/costs", in.City), "messagepage.done.refused")
}

// partsOf says how many parts a message had and what they cost.
func partsOf(ctx context.Context, n notice.Notice) string {
	switch {
	case n.Parts == 0:
		return ""
	case n.Price == "":
		return strconv.Itoa(n.Parts)
	}
	return ui.T(ctx, "messagepage.parts_at", "n", n.Parts, "price", n.Price)
}

// wordOf is the word of a value that may be empty. The keys are of notice.channel.
func wordOf(ctx context.Context, prefix, value string) string {
	if value == "" {
		return ""
	}
	return ui.T(ctx, prefix+value)
}
