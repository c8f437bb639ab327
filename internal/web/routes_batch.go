package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// batchView is an act on many cases: the form of an answer to all of them, or what became of each.
type batchView struct {
	city     int
	in       dispatch.Batch
	back     string
	cases    []cases.Case // those ticked that the reader may see
	articles []knowledge.View
	done     []dispatch.Outcome
	names    *caseNames
	form     ui.Form
}

// batchInput is a batch from the list, or from the form of an answer, which knows the way back.
type batchInput struct {
	dispatch.Batch
	Back string `form:"back"`
	Say  string `form:"say"` // the form of an answer was filled
}

// caseBatch does one act on the ticked cases. One that cannot be done does not hold up the rest, and is said by name.
func (w *Web) caseBatch(rw http.ResponseWriter, r *http.Request) error {
	back := w.listBack(r)
	in, err := httpx.Bind[batchInput](r)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	if from, ok := safeNext(in.Back); ok && w.isList(r, from) {
		back = from
	}
	in.City, in.Key = httpx.City(r.Context()), formKey(r)
	switch {
	case in.Do == "link":
		return w.linkBatch(rw, r, in.Batch, back)
	case in.Do == "answer":
		return w.answerBatch(rw, r, in, back)
	}
	done, err := w.Dispatch.Batch(r.Context(), by(r), in.Batch)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.batchDone(rw, r, batchView{in: in.Batch, back: back, done: done})
}

// batchDone leads back when all was done, and else shows what became of each case.
func (w *Web) batchDone(rw http.ResponseWriter, r *http.Request, v batchView) error {
	if v.failed() == 0 && v.in.Do != "answer" {
		return w.done(rw, r, v.back, text.Msg("casework.batch.done", "n", len(v.done)))
	}
	if err := w.fillBatch(r, &v); err != nil {
		return err
	}
	slices.SortStableFunc(v.done, func(a, b dispatch.Outcome) int { // what was refused first
		return strings.Compare(strconv.FormatBool(a.Err == nil), strconv.FormatBool(b.Err == nil))
	})
	return w.show(rw, r, Page{Title: text.Msg("casework.batch.results"), Nav: "cases", Body: batchResults(v)})
}

// answerBatch answers every ticked question with one text, after the reader has seen what is asked.
func (w *Web) answerBatch(rw http.ResponseWriter, r *http.Request, in batchInput, back string) error {
	v := batchView{in: in.Batch, back: back}
	err := w.takeWords(r, &v.in)
	if err == nil && in.Say != "" {
		v.done, err = w.Dispatch.Batch(r.Context(), by(r), v.in)
	}
	if err == nil && in.Say != "" {
		return w.batchDone(rw, r, v)
	}
	if failed := w.fillBatch(r, &v); failed != nil {
		return failed
	}
	if len(v.in.IDs) == 0 {
		w.setFlash(rw, text.Msg("casework.batch.none"), true)
		return w.to(rw, r, back)
	}
	body := func(f ui.Form) Page {
		v.form = f
		return Page{Title: text.Msg("casework.batch.answer_title"), Nav: "cases", Body: batchAnswer(v)}
	}
	if err != nil {
		return w.again(rw, r, err, ui.Staff, body)
	}
	return w.show(rw, r, body(ui.Form{}))
}

// takeWords lets an article that was chosen without words of one's own give its words.
func (w *Web) takeWords(r *http.Request, in *dispatch.Batch) error {
	id, no, ok := strings.Cut(in.Article, "/")
	if !ok || strings.TrimSpace(in.Answer) != "" || w.Knowledge == nil {
		return nil
	}
	n, err := strconv.Atoi(no)
	if err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	a, err := w.Knowledge.Read(r.Context(), by(r), in.City, id, n)
	in.Answer = a.Answer[text.ZH]
	return err
}

// fillBatch finds the ticked cases that the reader may see, and what may be answered about them.
func (w *Web) fillBatch(r *http.Request, v *batchView) error {
	ctx := r.Context()
	v.city = httpx.City(ctx)
	var err error
	if v.names, err = w.caseNames(r); err != nil || len(v.in.IDs) == 0 {
		return err
	}
	f := cases.Filter{IDs: v.in.IDs, Request: page.Request{Size: page.MaxSize}}
	found, err := w.Cases.List(ctx, by(r), v.city, f)
	if err != nil {
		return err
	}
	v.cases = found.Items
	if v.in.Do != "answer" || w.Knowledge == nil || !by(r).MayAny(actor.KnowledgeRead, v.city) {
		return nil
	}
	seen := map[string]bool{}
	for _, c := range v.cases {
		if seen[c.Category] || len(seen) == mostAnswers {
			continue
		}
		seen[c.Category] = true
		some, err := w.Knowledge.Search(ctx, by(r), knowledge.Query{City: v.city, Category: c.Category})
		if err != nil {
			return err
		}
		for _, a := range some[:min(len(some), mostAnswers)] {
			if !slices.ContainsFunc(v.articles, func(b knowledge.View) bool { return b.Article == a.Article }) {
				v.articles = append(v.articles, a)
			}
		}
	}
	return nil
}

// failed counts the cases with which nothing was done.
func (v batchView) failed() int {
	n := 0
	for _, o := range v.done {
		if o.Err != nil {
			n++
		}
	}
	return n
}

// file is the case of an outcome; false for one that the reader may not see.
func (v batchView) file(o dispatch.Outcome) (cases.Case, bool) {
	i := slices.IndexFunc(v.cases, func(c cases.Case) bool { return c.ID == o.ID })
	if i < 0 {
		return cases.Case{}, false
	}
	return v.cases[i], true
}

func (w *Web) linkBatch(rw http.ResponseWriter, r *http.Request, in dispatch.Batch, back string) error {
	if len(in.IDs) < 2 {
		w.setFlash(rw, text.Msg("casework.batch.two"), true)
		return w.to(rw, r, back)
	}
	act := cases.Act{City: in.City, ID: in.IDs[0], Reason: in.Reason, Key: in.Key}
	if _, err := w.Cases.LinkCases(r.Context(), by(r), cases.Linking{Act: act, Others: in.IDs[1:]}); err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("casework.batch.linked", "n", len(in.IDs)))
}

// isList reports whether an address is the list of cases with some filter.
func (w *Web) isList(r *http.Request, address string) bool {
	list := at("/c/{city}/cases", httpx.City(r.Context()))
	return address == list || strings.HasPrefix(address, list+"?")
}
