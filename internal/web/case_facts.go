package web

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// facts are the lines of a case that are not shown in a form of their own.
func (v caseView) facts(ctx context.Context) []ui.Fact {
	c, d := v.Case, v.Case.Details
	word := func(key, value string) string {
		if value == "" {
			return ""
		}
		return firstKey(ctx, value, key)
	}
	temp := tenths(d.Temperature)
	if temp != "" {
		temp += " " + ui.T(ctx, "ui.celsius")
	}
	return []ui.Fact{
		{Key: "casework.col.nature", Text: word("nature."+string(c.Nature), string(c.Nature))},
		{Key: "entry.scope", Text: word("scope."+string(c.Scope), string(c.Scope))},
		{Key: "entry.temperature", Text: strings.TrimSpace(temp + " " + d.Thermometer)},
		{Key: "entry.since", Text: d.Since},
		{Key: "entry.rooms", Text: d.Rooms},
		{Key: "entry.floor", Text: d.Floor},
		{Key: "entry.position", Text: word("position."+d.Position, d.Position)},
		{Key: "entry.heating", Text: word("heating."+d.Heating, d.Heating)},
		{Key: "entry.neighbours", Text: word("yes_no."+d.Neighbours, d.Neighbours)},
		{Key: "entry.paid", Text: word("yes_no."+d.Paid, d.Paid)},
		{Key: "entry.leak", Text: word("yes_no."+d.Leak, d.Leak)},
		{Key: "entry.care", Text: word("care."+d.Care, d.Care)},
		{Key: "entry.available", Text: d.Available},
		{Key: "entry.amount", Text: d.Amount},
		{Key: "entry.suspect", Text: d.Suspect},
		{Key: "entry.company_told", Text: strings.TrimSpace(d.ToldAt.Minute() + " " + d.ToldNo)},
		{Key: "entry.account", Text: c.Account},
		{Key: "casework.col.district", Text: v.names.district(c.District)},
		{Key: "casework.riser", Text: c.Riser},
		{Key: "entry.test_request", Text: c.TestAt.Minute()},
		{Key: "casework.col.received", Text: c.ReceivedAt.Minute()},
		{Key: "casework.recorded", Text: c.RecordedAt.Minute()},
		{Key: "casework.ticket", Text: c.TicketNo},
		{Key: "casework.col.closed", Text: c.ClosedAt.Minute()},
		{Key: "casework.col.solved", Text: word("solved."+c.Solved, c.Solved)},
		{Key: "casework.col.satisfied", Text: word("yes_no."+c.Satisfied, c.Satisfied)},
	}
}

// deedFact is a line of what somebody did.
type deedFact struct{ Name, Text string }

// deedResult is what came of a deed, in a word.
func (v caseView) deedResult(ctx context.Context, d cases.Deed) string {
	switch d.Kind {
	case cases.DeedContact:
		return firstKey(ctx, d.Result, "contact."+d.Result)
	case cases.DeedVisit:
		return firstKey(ctx, d.Result, "visit."+d.Result)
	case cases.DeedFeedback, cases.DeedCallBack:
		return firstKey(ctx, d.Result, "solved."+d.Result)
	case cases.DeedAnswer:
		return firstKey(ctx, d.Result, "yes_no."+d.Result)
	case cases.DeedAppointment, cases.DeedVerification:
		return firstKey(ctx, d.Result, "casework.result."+d.Result)
	}
	return d.Result
}

// deedFacts are what a deed says.
func (v caseView) deedFacts(ctx context.Context, d cases.Deed) []deedFact {
	if d.Kind == cases.DeedFeedback {
		return v.feedbackFacts(ctx, d)
	}
	var data map[string]any
	if json.Unmarshal(d.Data, &data) != nil {
		return nil
	}
	var out []deedFact
	for _, k := range []string{"from", "to", "mode", "temperature", "satisfied", "channel", "call_log", "recording", "note"} {
		s, ok := data[k].(string)
		if !ok || s == "" || k == "to" && d.Kind == cases.DeedAnswer {
			continue
		}
		out = append(out, deedFact{ui.T(ctx, "casework.deed."+k), v.deedWord(ctx, k, s)})
	}
	return out
}

func (v caseView) deedWord(ctx context.Context, k, s string) string {
	switch k {
	case "from", "to":
		if t, err := civil.ParseInstant(s); err == nil {
			return t.Minute()
		}
	case "mode":
		return firstKey(ctx, s, "casework.verify."+s)
	case "temperature":
		return s + " " + ui.T(ctx, "ui.celsius")
	case "satisfied":
		return firstKey(ctx, s, "yes_no."+s)
	case "channel":
		return firstKey(ctx, s, "casework.call."+s, "channel."+s)
	}
	return s
}

// feedbackFacts are the answers to the pack's form, under the names that the form gives them.
func (v caseView) feedbackFacts(ctx context.Context, d cases.Deed) []deedFact {
	var data struct {
		Form map[string]string `json:"form"`
	}
	if d.Into(&data) != nil {
		return nil
	}
	cat, _ := v.names.rules.Pack.Category(v.Case.Category)
	l := httpx.Lang(ctx)
	var out []deedFact
	for _, f := range v.names.rules.Pack.FeedbackForm(cat) {
		if s := data.Form[f.Code]; s != "" {
			out = append(out, deedFact{f.Name.In(l), feedbackWord(ctx, f, s, l)})
		}
	}
	return out
}

func feedbackWord(ctx context.Context, f citypack.FormField, s string, l text.Lang) string {
	switch f.Type {
	case citypack.TypeTemperature:
		return s + " " + ui.T(ctx, "ui.celsius")
	case citypack.TypeYesNo:
		return firstKey(ctx, s, "yes_no."+s, "casework.bool."+s)
	case citypack.TypeTime:
		if t, err := civil.ParseInstant(s); err == nil {
			return t.Minute()
		}
	case citypack.TypeChoice, citypack.TypeChoices:
		words := strings.Split(s, ",")
		for i, w := range words {
			if n := slices.IndexFunc(f.Choices, func(c citypack.Choice) bool { return c.Code == w }); n >= 0 {
				words[i] = f.Choices[n].Name.In(l)
			}
		}
		return strings.Join(words, "、")
	case citypack.TypeText, citypack.TypeLongText, citypack.TypeDate, citypack.TypeNumber, citypack.TypePhotos:
	}
	return s
}

// articleOptions are the articles that a direct answer may stand on; what must be reviewed first is not read out.
func (v caseView) articleOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, a := range v.articles {
		if !a.Stale {
			out = append(out, ui.Option{Value: a.Article + "/" + strconv.Itoa(a.No), Text: ui.Named(ctx, a.TitleZH, a.TitleEN)})
		}
	}
	return out
}

// requestFacts are what was asked for and what became of it.
func (v caseView) requestFacts(ctx context.Context, q dispatch.Request) []deedFact {
	var out []deedFact
	add := func(key, s string) {
		if s != "" {
			out = append(out, deedFact{ui.T(ctx, key), s})
		}
	}
	add("ui.reason", q.Reason)
	if q.Kind == dispatch.AskReturn {
		add("casework.return.right", v.names.org(ctx, q.Other))
	} else {
		add("casework.dispute.party", v.names.org(ctx, q.Other))
	}
	add("casework.until_when", q.Until.Minute())
	if q.Kind == dispatch.AskAppeal {
		add("casework.appeal.about", v.appealed(ctx, q.Ref))
	}
	add("casework.replied", strings.TrimSpace(q.Reply+" "+q.RepliedAt.MonthDayClock()))
	add("casework.decided", strings.TrimSpace(q.Note+" "+q.DecidedAt.MonthDayClock()))
	return out
}

// appealed says what an appeal is against: a time limit, or a mark.
func (v caseView) appealed(ctx context.Context, ref string) string {
	for _, k := range v.Clocks {
		if k.ID == ref {
			return v.names.clock(ctx, k.Code)
		}
	}
	return firstKey(ctx, ref, "casework.appeal."+ref)
}

func (v caseView) waits(q dispatch.Request) bool {
	return q.State == dispatch.Open || q.State == dispatch.Replied
}

func requestTone(s dispatch.RequestState) ui.Tone {
	switch s {
	case dispatch.Open, dispatch.Replied:
		return ui.Amber
	case dispatch.Granted, dispatch.Refused:
	}
	return ui.Blue
}

func (v caseView) linkTo(other string) cases.Link {
	for _, l := range v.Links {
		if l.Other == other || l.Case == other {
			return l
		}
	}
	return cases.Link{Kind: cases.Related}
}

func photoHref(b blob.Blob) string {
	return at("/c/{city}/attachments/", b.City) + b.ID
}

func signedHow(ctx context.Context, d dispatch.Dispatch) string {
	if d.SignedHow == "" {
		return ""
	}
	return joinFacts(slices.DeleteFunc([]string{ui.T(ctx, "signed_how."+d.SignedHow), d.OrderNo, d.Recording}, func(s string) bool { return s == "" }))
}

// inside is how far a unit gave a case on within itself.
func inside(d dispatch.Dispatch) string {
	return joinFacts(slices.DeleteFunc([]string{d.Station, d.Crew, d.TakenAt.MonthDayClock()}, func(s string) bool { return s == "" }))
}

func endOf(ctx context.Context, d dispatch.Dispatch) string {
	if d.EndKind == "" {
		return ""
	}
	return ui.T(ctx, "end_kind."+d.EndKind)
}
