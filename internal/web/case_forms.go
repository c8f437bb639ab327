package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/text"
)

// amendInput is the form of an amendment. The form shows every field, so that an emptied one is meant; the caller's name
// and telephone are masked there, and stay unless both are written anew.
type amendInput struct {
	cases.Act
	Nature   citypack.Nature  `form:"nature"`
	Category string           `form:"category"`
	Urgency  citypack.Urgency `form:"urgency"`
	Scope    cases.Scope      `form:"scope"`
	Relation cases.Relation   `form:"relation"`
	Secret   bool             `form:"secret"`
	Caller   cases.Party      `form:"caller"`
	Account  string           `form:"account"`
	Room     string           `form:"room"`
	Address  string           `form:"address"`
	Details  cases.Details    `form:"details"`
}

func amending(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[amendInput](r)
	if err != nil {
		return cases.Case{}, err
	}
	ctx, city, id := r.Context(), httpx.City(r.Context()), chi.URLParam(r, "case")
	was, err := w.Cases.Get(ctx, by(r), city, id)
	if err != nil {
		return cases.Case{}, err
	}
	d := in.Details
	d.Thermometer, d.ToldAt, d.Amount, d.Suspect = was.Details.Thermometer, was.Details.ToldAt, was.Details.Amount, was.Details.Suspect
	out := cases.Amendment{
		Act: in.Act, Nature: &in.Nature, Category: &in.Category, Urgency: &in.Urgency, Scope: &in.Scope, Secret: &in.Secret, Details: &d,
	}
	if in.Relation != "" {
		out.Relation = &in.Relation
	}
	if in.Caller != (cases.Party{}) {
		out.Caller = &in.Caller
	}
	for _, f := range []struct {
		was, now string
		to       **string
	}{{was.Account, in.Account, &out.Account}, {was.Room, in.Room, &out.Room}, {was.Address, in.Address, &out.Address}} {
		if f.was != f.now {
			*f.to = &f.now
		}
	}
	out.City, out.ID, out.Key = city, id, formKey(r)
	return w.Cases.Amend(ctx, by(r), out)
}

// requestTest stamps that the resident asks for a temperature test now.
func requestTest(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[cases.Act](r)
	if err != nil {
		return cases.Case{}, err
	}
	in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
	return w.Cases.Amend(r.Context(), by(r), cases.Amendment{Act: in, TestRequest: "yes"})
}

// answering answers a case directly; an article that was chosen without words of one's own gives its words.
func answering(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[cases.Answering](r)
	if err != nil {
		return cases.Case{}, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	in.City, in.ID, in.Key = city, chi.URLParam(r, "case"), formKey(r)
	if id, no, ok := strings.Cut(in.Article, "/"); ok && in.Answer == "" && w.Knowledge != nil {
		n, err := strconv.Atoi(no)
		if err != nil {
			return cases.Case{}, fault.New(fault.NotFound, "not_found")
		}
		a, err := w.Knowledge.Read(ctx, by(r), city, id, n)
		if err != nil {
			return cases.Case{}, err
		}
		in.Answer = a.Answer[text.ZH]
	}
	return w.Cases.AnswerDirect(ctx, by(r), in)
}

// mostAnswers is how many articles a form of an answer offers.
const mostAnswers = 5

// offerArticles finds what may be answered about a case's category.
func (w *Web) offerArticles(r *http.Request, a caseAct, v *caseView) error {
	city := httpx.City(r.Context())
	if a.name != "answer" || w.Knowledge == nil || !v.by.MayAny(actor.KnowledgeRead, city) {
		return nil
	}
	found, err := w.Knowledge.Search(r.Context(), v.by, knowledge.Query{City: city, Category: v.Case.Category})
	v.articles = found[:min(len(found), mostAnswers)]
	return err
}

type linkInput struct {
	cases.Act
	No   string         `form:"no"` // as people read it out
	Kind cases.LinkKind `form:"kind"`
}

func linking(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[linkInput](r)
	if err != nil {
		return cases.Case{}, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	other, err := w.Cases.ByNo(ctx, by(r), city, in.No)
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			return cases.Case{}, err
		}
		var check fault.Check
		check.Add("no", "casework.link.none")
		return cases.Case{}, check.Err()
	}
	in.City, in.ID, in.Key = city, chi.URLParam(r, "case"), formKey(r)
	return w.Cases.LinkCases(ctx, by(r), cases.Linking{Act: in.Act, Others: []string{other.ID}, Kind: in.Kind})
}

type unlinkInput struct {
	cases.Act
	Link string `form:"link"`
}

func unlinking(w *Web, r *http.Request) (cases.Case, error) {
	in, err := httpx.Bind[unlinkInput](r)
	if err != nil {
		return cases.Case{}, err
	}
	in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
	return w.Cases.Unlink(r.Context(), by(r), in.Act, in.Link)
}

// caseReply answers a supervision order for the unit it was sent to.
func (w *Web) caseReply(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[dispatch.Replying](r)
	back := "/c/" + chi.URLParam(r, "city") + "/cases/" + chi.URLParam(r, "case")
	if err == nil {
		in.City, in.ID, in.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
		_, err = w.Dispatch.Reply(r.Context(), by(r), in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("casework.replied_done"))
}
