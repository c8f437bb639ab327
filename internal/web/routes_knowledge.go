package web

import (
	"net/http"
	"net/url"
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
	read, write := may(actor.KnowledgeRead), may(actor.KnowledgeWrite)
	return []Route{
		get("/c/{city}/knowledge", read, w.knowledgePage),
		post("/c/{city}/knowledge/report", read, w.reportKnowledge),
		get("/c/{city}/knowledge/desk", write, w.knowledgeDeskPage),
		post("/c/{city}/knowledge/flags/{flag}", write, w.settleFlag),
		get("/c/{city}/knowledge/new", write, w.newArticle),
		post("/c/{city}/knowledge/new", write, w.writeArticle),
		get("/c/{city}/knowledge/{article}", read, w.articlePage),
		get("/c/{city}/knowledge/{article}/edit", write, w.editArticle),
		post("/c/{city}/knowledge/{article}/edit", write, w.writeArticle),
		get("/c/{city}/knowledge/{article}/history", read, w.articleHistory),
		get("/c/{city}/knowledge/{article}/proof", write, w.articleProof),
		post("/c/{city}/knowledge/{article}/confirm", read, w.confirmArticle),
		post("/c/{city}/knowledge/{article}/move", write, w.moveArticle),
	}
}

// knowledgeView is a search with its hits and what the reader must still read.
type knowledgeView struct {
	city   int
	query  knowledge.Query
	hits   []knowledge.View
	must   []knowledge.View
	writes bool
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
	v.must, err = w.Knowledge.MustReads(ctx, by(r), city)
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
	own    bool            // written by the reader, who may not approve it
	tried  knowledge.Event // that was refused
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
	v.own = v.Author == by(r).ID
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
			v.form, v.tried = f, in.Event
			return articlePageOf(v)
		})
	}
	return w.done(rw, r, articlePath(in.City, in.Article, in.No), text.Msg("knowledgepage.moved."+string(in.Event)))
}

func articlePath(city int, id string, no int) string { return articleAct(city, id, "", no) }

// articleAct is the address of a page about a version of an article.
func articleAct(city int, id, page string, no int) string {
	return at("/c/{city}/knowledge/", city) + url.PathEscape(id) + page + "?no=" + strconv.Itoa(no)
}

// may reports whether the reader may do something to the version; nobody approves what they wrote.
func (v articleView) may(e knowledge.Event) bool {
	_, err := knowledge.Lifecycle.Next(v.State, e)
	return v.writes && err == nil && (e != knowledge.Approve || !v.own)
}

// formOf is the state of the form of one act.
func (v articleView) formOf(e knowledge.Event) ui.Form {
	if v.tried == e {
		return v.form.As(string(e))
	}
	return ui.Form{}.As(string(e))
}

func knowledgeKinds() []ui.Option {
	var out []ui.Option
	for _, k := range knowledge.Kinds() {
		out = append(out, ui.Option{Value: string(k), Key: "knowledge.kind." + string(k)})
	}
	return out
}
