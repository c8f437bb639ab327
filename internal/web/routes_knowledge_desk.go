package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// The lists of the keepers' desk beside those by state.
const (
	deskFlags  = "flags"
	deskMisses = "misses"
)

type keeperQuery struct {
	Show string         `form:"show"` // a state, flags or misses
	Kind knowledge.Kind `form:"kind"`
	Day  civil.Date     `form:"day"` // of misses
	page.Request
}

// keeperView is what waits for those who keep the knowledge.
type keeperView struct {
	city     int
	query    keeperQuery
	list     page.Of[knowledge.Version]
	flags    []knowledge.Flagged
	misses   []knowledge.Miss
	inReview int
	form     ui.Form
	settling string // the flag whose form was refused
}

func (w *Web) keeperView(r *http.Request, q keeperQuery) (keeperView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	if q.Show == "" {
		q.Show = string(knowledge.Review)
	}
	if q.Day.IsZero() {
		q.Day = w.o.Now().Date()
	}
	v := keeperView{city: city, query: q}
	var err error
	if v.flags, err = w.Knowledge.Flags(ctx, by(r), city); err != nil {
		return v, err
	}
	waiting, err := w.Knowledge.List(ctx, by(r), city, knowledge.Filter{State: knowledge.Review})
	if err != nil {
		return v, err
	}
	v.inReview = len(waiting.Items)
	switch q.Show {
	case deskFlags:
	case deskMisses:
		v.misses, err = w.Knowledge.Misses(ctx, by(r), city, q.Day)
	default:
		v.list, err = w.Knowledge.List(ctx, by(r), city, knowledge.Filter{State: knowledge.State(q.Show), Kind: q.Kind, Request: q.Request})
	}
	return v, err
}

func keeperPageOf(v keeperView) Page {
	return Page{Title: text.Msg("knowledgepage.desk"), Nav: "knowledge", Body: keeperBody(v)}
}

// knowledgeDeskPage lists what is being written, what waits for approval, and what seats said.
func (w *Web) knowledgeDeskPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[keeperQuery](r)
	if err != nil {
		return err
	}
	v, err := w.keeperView(r, q)
	if err != nil {
		return err
	}
	return w.show(rw, r, keeperPageOf(v))
}

// settleFlag says what came of what a seat reported.
func (w *Web) settleFlag(rw http.ResponseWriter, r *http.Request) error {
	city, flag := httpx.City(r.Context()), param(r, "flag")
	in, err := httpx.Bind[struct {
		Outcome string `form:"outcome"`
	}](r)
	if err == nil {
		err = w.Knowledge.Settle(r.Context(), by(r), city, flag, in.Outcome)
	}
	if err != nil {
		v, failed := w.keeperView(r, keeperQuery{Show: deskFlags})
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form, v.settling = f, flag
			return keeperPageOf(v)
		})
	}
	return w.done(rw, r, keeperPath(city, deskFlags), text.Msg("knowledgepage.settled"))
}

func keeperPath(city int, show string) string {
	return withQuery(at("/c/{city}/knowledge/desk", city), url.Values{"show": {show}})
}

// tabs are the lists of the desk; figures stand at those in which something waits.
func (v keeperView) tabs() []ui.Link {
	link := func(show, key string, n int) ui.Link {
		return ui.Link{Key: key, Href: keeperPath(v.city, show), Current: v.query.Show == show, Count: n}
	}
	return []ui.Link{
		link(string(knowledge.Review), "knowledgepage.tab.review", v.inReview),
		link(string(knowledge.Draft), "knowledgepage.tab.draft", 0),
		link(deskFlags, "knowledgepage.tab.flags", len(v.flags)),
		link(deskMisses, "knowledgepage.tab.misses", 0),
		link(string(knowledge.Published), "knowledgepage.tab.published", 0),
		link(string(knowledge.Withdrawn), "knowledgepage.tab.withdrawn", 0),
	}
}

// formOf is the state of the form of one flag.
func (v keeperView) formOf(f knowledge.Flagged) ui.Form {
	if v.settling == f.ID {
		return v.form.As(f.ID)
	}
	return ui.Form{}.As(f.ID)
}

// draftView is the form in which an article is written.
type draftView struct {
	city   int
	draft  knowledge.DraftInput
	from   int // the version that a new one starts from; 0 for a new article or a draft that goes on
	values []knowledge.Value
	names  *caseNames
	form   ui.Form
	lang   text.Lang
}

func (v draftView) action() string {
	if v.draft.Article == "" {
		return at("/c/{city}/knowledge/new", v.city)
	}
	return articleAct(v.city, v.draft.Article, "/edit", v.draft.No)
}

func (w *Web) draftView(r *http.Request, in knowledge.DraftInput) (draftView, error) {
	v := draftView{city: httpx.City(r.Context()), draft: in, lang: httpx.Lang(r.Context())}
	var err error
	if v.values, err = w.Knowledge.Values(r.Context(), by(r), v.city); err != nil {
		return v, err
	}
	if w.Rules != nil {
		v.names, err = w.caseNames(r)
	}
	return v, err
}

func draftPageOf(v draftView) Page {
	return Page{Title: text.Msg(v.titleKey()), Nav: "knowledge", Body: draftBody(v)}
}

func (v draftView) titleKey() string {
	if v.draft.Article == "" {
		return "knowledgepage.new"
	}
	if v.draft.No == 0 {
		return "knowledgepage.revise"
	}
	return "knowledgepage.edit"
}

// newArticle begins an article, perhaps with the word that was looked for in vain.
func (w *Web) newArticle(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Words string `form:"words"`
		Note  string `form:"note"`
	}](r)
	if err != nil {
		return err
	}
	d := knowledge.DraftInput{ReviewOn: w.o.Now().Date().AddMonths(12), Texts: knowledge.Texts{Words: in.Words, HintZH: in.Note}}
	v, err := w.draftView(r, d)
	if err != nil {
		return err
	}
	return w.show(rw, r, draftPageOf(v))
}

// editArticle goes on with a draft, or begins a new version of what was published.
func (w *Web) editArticle(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[articleQuery](r)
	if err != nil {
		return err
	}
	old, err := w.Knowledge.Read(r.Context(), by(r), httpx.City(r.Context()), param(r, "article"), q.No)
	if err != nil {
		return err
	}
	d := knowledge.DraftInput{Article: old.Article, Kind: old.Kind, ReviewOn: old.ReviewOn, Texts: old.Texts}
	from := old.No
	switch old.State {
	case knowledge.Draft:
		d.No, d.Version, from = old.No, old.Version.Version, 0
	case knowledge.Review:
		return w.refused(rw, r, fault.New(fault.Conflict, "knowledge.not_a_draft"), articlePath(old.City, old.Article, old.No))
	case knowledge.Published, knowledge.Withdrawn:
		d.ReviewOn = w.o.Now().Date().AddMonths(12)
	}
	v, err := w.draftView(r, d)
	if err != nil {
		return err
	}
	v.from = from
	return w.show(rw, r, draftPageOf(v))
}

// writeArticle keeps a draft.
func (w *Web) writeArticle(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[knowledge.DraftInput](r)
	in.City, in.Article, in.Key = city, param(r, "article"), formKey(r)
	var done knowledge.Version
	if err == nil {
		done, err = w.Knowledge.Write(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.draftView(r, in)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return draftPageOf(v)
		})
	}
	return w.done(rw, r, articlePath(city, done.Article, done.No), text.Msg("knowledgepage.kept"))
}

// historyView is the versions of an article and what changed between two of them.
type historyView struct {
	city     int
	versions []knowledge.Past
	from, to knowledge.Past
	changes  []knowledge.Change
	names    *caseNames
}

// articleHistory lists old versions and compares two.
func (w *Web) articleHistory(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[struct {
		From int `form:"from"`
		To   int `form:"to"`
		No   int `form:"no"`
	}](r)
	if err != nil {
		return err
	}
	v := historyView{city: httpx.City(r.Context())}
	if v.versions, err = w.Knowledge.History(r.Context(), by(r), v.city, param(r, "article")); err != nil {
		return err
	}
	if w.Rules != nil {
		if v.names, err = w.caseNames(r); err != nil {
			return err
		}
	}
	if q.To == 0 {
		q.To = q.No
	}
	if err := v.choose(q.From, q.To); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("knowledgepage.history"), Nav: "knowledge", Body: historyBody(v)})
}

// choose takes the two versions that are compared: what was asked for, or the newest and the one before it.
func (v *historyView) choose(from, to int) error {
	pick := func(no, otherwise int) (knowledge.Past, error) {
		if no == 0 {
			return v.versions[min(otherwise, len(v.versions)-1)], nil
		}
		i := slices.IndexFunc(v.versions, func(p knowledge.Past) bool { return p.No == no })
		if i < 0 {
			return knowledge.Past{}, fault.New(fault.NotFound, "not_found")
		}
		return v.versions[i], nil
	}
	var err error
	if v.to, err = pick(to, 0); err != nil {
		return err
	}
	before := slices.IndexFunc(v.versions, func(p knowledge.Past) bool { return p.No == v.to.No }) + 1
	if v.from, err = pick(from, before); err != nil {
		return err
	}
	if v.from.No > v.to.No {
		v.from, v.to = v.to, v.from
	}
	v.changes = knowledge.Changes(v.from.Texts, v.to.Texts)
	return nil
}

func (v historyView) options(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.versions))
	for i, p := range v.versions {
		out[i] = ui.Option{Value: strconv.Itoa(p.No), Text: ui.T(ctx, "knowledgepage.version", "no", p.No)}
	}
	return out
}

// articleProof is the sheet on which each seat's reading is proved.
func (w *Web) articleProof(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[articleQuery](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	p, err := w.Knowledge.Prove(ctx, by(r), city, param(r, "article"), q.No)
	if err != nil {
		return err
	}
	said, err := w.Knowledge.Read(ctx, by(r), city, p.Article, p.No)
	if err != nil {
		return err
	}
	all, err := w.orgsOf(ctx, by(r), city)
	if err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("knowledgepage.proof_sheet"), Body: proofPaper(p, said.Answer[httpx.Lang(ctx)], all)})
}

// readers are the roles that may be made to read an article.
func readers() []ui.Option {
	var out []ui.Option
	for _, r := range actor.Roles() {
		if r.Has(actor.KnowledgeRead) && r != actor.RolePartner && r != actor.RoleSystem && r != actor.RoleResident {
			out = append(out, ui.Option{Value: string(r), Key: "role." + string(r)})
		}
	}
	return out
}
