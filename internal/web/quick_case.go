package web

import (
	"cmp"
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// replyActs record what went back about a case: the report on an instruction, the answer to a letter or to the press.
func replyActs() []caseAct {
	of := func(name string, kind cases.ReplyKind, look string) caseAct {
		return caseAct{
			name: name, key: "quick.act." + string(kind), icon: "send", look: look, quick: true, may: []actor.Permission{actor.CaseAccept}, text: "quick.act_text." + string(kind),
			open: func(v caseView) bool { return v.Case.ReplyKind() == kind }, fields: replyFields,
			do: doer(func(in *cases.Replying) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Replying) (cases.Case, error) {
				return w.Cases.SendReply
			}),
		}
	}
	return []caseAct{of("report_back", cases.Report, ""), of("letter_reply", cases.LetterReply, ""), of("press_reply", cases.PressReply, "")}
}

// replyTo is who is told when nobody else is named.
func (v caseView) replyTo() string {
	if v.Origin == nil {
		return v.Case.CallerName
	}
	for _, s := range []string{v.Origin.Office, v.Origin.From} {
		if s != "" {
			return s
		}
	}
	return v.Case.CallerName
}

// originFacts are the lines of the paper that stands behind a case.
func (v caseView) originFacts(ctx context.Context) []ui.Fact {
	o := v.Origin
	ch := string(v.Case.Channel)
	number := map[cases.Channel]string{cases.Counter: "quick.ticket", cases.Letter: "quick.letter_no", cases.Leader: "quick.leader_no", cases.Media: "quick.media_no"}
	from := map[cases.Channel]string{cases.Counter: "quick.letter_from", cases.Letter: "quick.letter_from", cases.Leader: "quick.leader_from", cases.Media: "quick.media_from"}
	dated := map[cases.Channel]string{cases.Counter: "quick.letter_dated", cases.Letter: "quick.letter_dated", cases.Leader: "quick.leader_dated", cases.Media: "quick.media_dated"}
	due := "quick.leader_due"
	if v.Case.Channel == cases.Media {
		due = "quick.media_due"
	}
	day := ""
	if !o.Dated.IsZero() {
		day = o.Dated.String()
	}
	return []ui.Fact{
		{Key: "casework.col.channel", Text: ui.T(ctx, "channel."+ch)},
		{Key: number[v.Case.Channel], Text: o.No},
		{Key: from[v.Case.Channel], Text: o.From},
		{Key: dated[v.Case.Channel], Text: day},
		{Key: "quick.leader_office", Text: o.Office},
		{Key: due, Text: o.Due.Minute()},
		{Key: "quick.media_answerer", Text: o.Answerer},
		{Key: "quick.media_name", Text: o.ContactName},
		{Key: "quick.media_phone", Text: o.ContactPhone},
		{Key: "quick.brought", Text: o.Brought},
	}
}

// replySent are the lines of what went back.
func replySent(ctx context.Context, r cases.Reply) []deedFact {
	out := []deedFact{{ui.T(ctx, "quick.reply_to"), r.To}}
	for _, f := range []struct{ key, text string }{{"quick.reply_no", r.No}, {"quick.reply_signer", r.Signer}, {"quick.reply_text", r.Text}} {
		if f.text != "" {
			out = append(out, deedFact{ui.T(ctx, f.key), f.text})
		}
	}
	return out
}

// caseLetterPDF is the answer to a letter laid out as an official document, to be signed and sent: the one that was recorded
// last, else the case's answer, else a sheet to write on.
func (w *Web) caseLetterPDF(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.caseView(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	to := v.replyTo()
	if v.toPerson() {
		in := cases.Act{City: v.Case.City, ID: v.Case.ID, Reason: text.T(text.ZH, "quick.letter_pdf")}
		shown, err := w.Cases.Reveal(r.Context(), v.by, in)
		if err != nil {
			return err
		}
		to = cmp.Or(shown.Caller.Name, to)
	}
	return w.sheetOf(rw, letterSheet(r, v, letterTo{to, w.o.Site.Owner, w.o.Now().Date()}), "letter-"+v.Case.No)
}

// toPerson reports whether the answer goes to somebody whose name is sealed.
func (v caseView) toPerson() bool {
	return v.Origin == nil || v.Origin.Office == "" && v.Origin.From == ""
}

// letterTo is whom a letter goes to, from whom, and its day.
type letterTo struct {
	to, owner string
	day       civil.Date
}

// letterSheet says to who wrote what came of their letter.
func letterSheet(r *http.Request, v caseView, a letterTo) paper.Document {
	l := httpx.Lang(r.Context())
	title := text.T(l, "quick.letter_head")
	if t, ok := v.names.rules.Pack.Template("reply_letter"); ok {
		title = t.Name.In(l)
	}
	no, words, day := "", v.Case.Answer, a.day
	if n := len(v.Replies); n > 0 {
		last := v.Replies[n-1]
		no, words, day = last.No, last.Text, last.SentAt.Date()
	}
	about := text.T(l, "quick.letter_about", "received", longDay(l, v.Case.ReceivedAt.Date()), "no", v.Case.No)
	if v.Case.DocNo != "" {
		about = text.T(l, "quick.letter_about_no", "received", longDay(l, v.Case.ReceivedAt.Date()), "doc", v.Case.DocNo, "no", v.Case.No)
	}
	blocks := []paper.Block{
		paper.Paragraph{Text: text.T(l, "quick.letter_to", "name", a.to)},
		paper.Paragraph{Text: about, Indent: true},
		paper.Paragraph{Text: words, Indent: true},
		paper.Space{Height: 10},
		paper.Seal{Place: a.owner, Date: longDay(l, day), Note: text.T(l, "casework.paper.order_seal")},
	}
	return paper.Document{Style: paper.Official, Language: l, Issuer: a.owner, Title: title, Number: no, Blocks: blocks}
}
