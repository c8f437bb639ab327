package web

import (
	"net/http"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// knowledgeRoutes are the pages on which staff look things up and confirm what they must have read (业务知识).
func (w *Web) knowledgeRoutes() []Route {
	if w.Knowledge == nil {
		return nil
	}
	read := may(actor.KnowledgeRead)
	return []Route{
		get("/c/{city}/knowledge", read, w.knowledgePage),
		post("/c/{city}/knowledge/report", read, w.reportKnowledge),
		get("/c/{city}/knowledge/{article}", read, w.articlePage),
		post("/c/{city}/knowledge/{article}/confirm", read, w.confirmArticle),
		post("/c/{city}/knowledge/{article}/move", may(actor.KnowledgeWrite), w.moveArticle),
	}
}

// knowledgeView is a search with its hits, what the reader must still read, and for those who write what waits.
type knowledgeView struct {
	city   int
	query  knowledge.Query
	hits   []knowledge.View
	must   []knowledge.View
	writes bool
	review []knowledge.Version
	flags  []knowledge.Flag
	misses []knowledge.Miss
	form   ui.Form
}

func (w *Web) knowledgeView(r *http.Request, q knowledge.Query) (knowledgeView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	q.City, q.Final = city, q.Text != ""
	v := knowledgeView{city: city, query: q, writes: by(r).MayAny(actor.KnowledgeWrite, city)}
	var err error
	if v.hits, err = w.Knowledge.Search(ctx, by(r), q); err != nil {
		return v, err
	}
	if v.must, err = w.Knowledge.MustReads(ctx, by(r), city); err != nil || !v.writes {
		return v, err
	}
	for _, s := range []knowledge.State{knowledge.Review, knowledge.Draft} {
		list, err := w.Knowledge.List(ctx, by(r), city, knowledge.Filter{State: s})
		if err != nil {
			return v, err
		}
		v.review = append(v.review, list.Items...)
	}
	if v.flags, err = w.Knowledge.Flags(ctx, by(r), city); err != nil {
		return v, err
	}
	v.misses, err = w.Knowledge.Misses(ctx, by(r), city, w.o.Now().Date())
	return v, err
}

func knowledgePageOf(v knowledgeView) Page {
	return Page{Title: text.Msg("knowledgepage.title"), Nav: "knowledge", Body: knowledgeBody(v)}
}

func (w *Web) knowledgePage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[knowledge.Query](r)
	if err != nil {
		return err
	}
	v, err := w.knowledgeView(r, q)
	if err != nil {
		return err
	}
	return w.show(rw, r, knowledgePageOf(v))
}

// reportKnowledge tells the keepers that an article is wrong or missing.
func (w *Web) reportKnowledge(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[knowledge.FlagInput](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Knowledge.Report(r.Context(), by(r), in)
	}
	if err != nil && in.Article != "" { // the word was about an article: back to it, not to the form for what is missing
		return w.refused(rw, r, err, articlePath(httpx.City(r.Context()), in.Article, in.No))
	}
	if err != nil {
		v, failed := w.knowledgeView(r, knowledge.Query{})
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return knowledgePageOf(v)
		})
	}
	return w.done(rw, r, at("/c/{city}/knowledge", in.City), text.Msg("knowledgepage.reported"))
}

// articleView is one version of an article.
type articleView struct {
	knowledge.View
	city   int
	writes bool
	lang   text.Lang
	proof  *knowledge.Proof
	form   ui.Form
}

type articleQuery struct {
	No int `form:"no"`
}

func (w *Web) articleView(r *http.Request, no int) (articleView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := articleView{city: city, writes: by(r).MayAny(actor.KnowledgeWrite, city), lang: httpx.Lang(ctx)}
	var err error
	if v.View, err = w.Knowledge.Read(ctx, by(r), city, param(r, "article"), no); err != nil {
		return v, err
	}
	if v.writes && v.State == knowledge.Published && len(v.MustRead) > 0 {
		p, err := w.Knowledge.Prove(ctx, by(r), city, v.Article, v.No)
		if err != nil {
			return v, err
		}
		v.proof = &p
	}
	return v, nil
}

func articlePageOf(v articleView) Page {
	return Page{Title: text.Msg("knowledgepage.title"), Nav: "knowledge", Body: articleBody(v)}
}

func (w *Web) articlePage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[articleQuery](r)
	if err != nil {
		return err
	}
	v, err := w.articleView(r, q.No)
	if err != nil {
		return err
	}
	return w.show(rw, r, articlePageOf(v))
}

// confirmArticle notes that the reader has read a version.
func (w *Web) confirmArticle(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[articleQuery](r)
	if err == nil {
		err = w.Knowledge.Confirm(r.Context(), by(r), city, param(r, "article"), in.No)
	}
	return w.after(rw, r, err, at("/c/{city}/knowledge", city), "knowledgepage.confirmed")
}

// moveArticle submits, publishes, sends back, withdraws or discards a version.
func (w *Web) moveArticle(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[knowledge.MoveInput](r)
	if err == nil {
		in.City, in.Article = httpx.City(r.Context()), param(r, "article")
		_, err = w.Knowledge.Move(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.articleView(r, in.No)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return articlePageOf(v)
		})
	}
	return w.done(rw, r, articlePath(in.City, in.Article, in.No), text.Msg("knowledgepage.moved"))
}

func articlePath(city int, id string, no int) string {
	return at("/c/{city}/knowledge/", city) + id + "?no=" + strconv.Itoa(no)
}

func (v articleView) events() []ui.Option {
	var out []ui.Option
	for _, s := range knowledge.Lifecycle.From(v.State) {
		out = append(out, ui.Option{Value: string(s.Event), Key: "knowledge.event." + string(s.Event)})
	}
	return out
}

func knowledgeKinds() []ui.Option {
	var out []ui.Option
	for _, k := range knowledge.Kinds() {
		out = append(out, ui.Option{Value: string(k), Key: "knowledge.kind." + string(k)})
	}
	return out
}
