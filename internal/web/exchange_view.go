package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

func ticketTone(s exchange.Status) ui.Tone {
	switch s {
	case exchange.Dispatched:
		return ui.Violet
	case exchange.Accepted:
		return ui.Blue
	case exchange.Handling:
		return ui.Teal
	case exchange.Returning, exchange.Replied, exchange.CalledBack:
		return ui.Amber
	case exchange.Closed:
		return ui.Green
	case exchange.Returned, exchange.Cancelled:
	}
	return ui.Grey
}

func messageStateTone(s exchange.MessageState) ui.Tone {
	switch s {
	case exchange.Rejected:
		return ui.Red
	case exchange.Held, exchange.Queued:
		return ui.Amber
	case exchange.Sent, exchange.TakenIn:
	}
	return ui.Green
}

func requestStateTone(s exchange.RequestState) ui.Tone {
	switch s {
	case exchange.Asked:
		return ui.Amber
	case exchange.Refused:
		return ui.Red
	case exchange.Granted, exchange.Answered:
	}
	return ui.Green
}

func differenceTone(s exchange.DayState) ui.Tone {
	switch s {
	case exchange.DiffOpen:
		return ui.Red
	case exchange.DiffRepairing:
		return ui.Amber
	case exchange.DiffRepaired, exchange.DiffGone:
	}
	return ui.Green
}

// stats are what waits on all platforms.
func (v platformsView) stats() []ui.Stat {
	var queued, refused, held, open, differ int64
	for _, h := range v.list {
		queued, refused, held, open, differ = queued+h.Queued, refused+h.Refused, held+h.Held, open+h.Open, differ+h.Differ
	}
	bad := func(n int64) ui.Tone {
		if n > 0 {
			return ui.Red
		}
		return ""
	}
	return []ui.Stat{
		{Icon: "list-checks", Key: "exchangepage.open", Value: strconv.FormatInt(open, 10), Href: at("/c/{city}/tickets", v.city)},
		{Icon: "clock", Key: "exchangepage.queued", Value: strconv.FormatInt(queued, 10)},
		{Icon: "ban", Key: "exchangepage.refused", Value: strconv.FormatInt(refused, 10), Tone: bad(refused)},
		{Icon: "message-square", Key: "exchangepage.held", Value: strconv.FormatInt(held, 10)},
		{Icon: "scale", Key: "exchangepage.differ", Value: strconv.FormatInt(differ, 10), Tone: bad(differ)},
	}
}

func platformKinds() []ui.Option {
	var out []ui.Option
	for _, k := range exchange.Kinds() {
		out = append(out, ui.Option{Value: string(k), Key: "platform_kind." + string(k)})
	}
	return out
}

func ticketStatuses() []ui.Option {
	var out []ui.Option
	for _, s := range exchange.Statuses() {
		out = append(out, ui.Option{Value: string(s), Key: "exchange_status." + string(s)})
	}
	return out
}

func exchangeSides() []ui.Option {
	return []ui.Option{{Value: string(exchange.Theirs), Key: "exchange_side.platform"}, {Value: string(exchange.Ours), Key: "exchange_side.centre"}}
}

func platformOptions(list []exchange.Health) []ui.Option {
	var out []ui.Option
	for _, h := range list {
		out = append(out, ui.Option{Value: h.Code, Text: h.Name})
	}
	return out
}

func offerOptions(list []exchange.Platform) []ui.Option {
	var out []ui.Option
	for _, p := range list {
		out = append(out, ui.Option{Value: p.Code, Text: p.Name})
	}
	return out
}

// platformName is what a platform is called; its code when it is gone.
func (v ticketsView) platformName(code string) string { return platformName(v.platforms, code) }

func platformName(list []exchange.Health, code string) string {
	for _, h := range list {
		if h.Code == code {
			return h.Name
		}
	}
	return code
}

func (v ticketsView) export(format string) string {
	q := url.Values{"format": {format}}
	for name, value := range map[string]string{
		"platform": v.query.Platform, "q": v.query.Query, "status": string(v.query.Status), "opened_by": string(v.query.OpenedBy), "attention": v.query.Attention,
		"from": v.query.From.String(), "to": v.query.To.String(),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return withQuery(at("/c/{city}/tickets/export", v.city), q)
}

func (v hotlinesView) export(format string) string {
	q := url.Values{"format": {format}}
	for name, value := range map[string]string{"company": v.query.Company, "late": v.query.Late, "from": v.query.From.String(), "to": v.query.To.String()} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return withQuery(at("/c/{city}/hotlines/export", v.city), q)
}

// facts are what stands at the head of a ticket.
func (v ticketView) facts(ctx context.Context) []ui.Fact {
	return []ui.Fact{
		{Key: "exchangepage.platform", Text: v.platform.Name},
		{Key: "exchangepage.opened_by", Text: ui.T(ctx, "exchange_side."+string(v.OpenedBy))},
		{Key: "exchangepage.no", Text: v.No},
		{Key: "exchangepage.peer_no", Text: v.peer()},
		{Key: "exchangepage.part", Text: ui.T(ctx, "exchange_part."+string(v.Part))},
		{Key: "exchangepage.seat", Text: v.Seat},
		{Key: "exchangepage.opened", Text: v.OpenedAt.Minute()},
		{Key: "exchangepage.accept_by", Text: v.AcceptBy.Minute()},
		{Key: "exchangepage.reply_by", Text: v.ReplyBy.Minute()},
		{Key: "exchangepage.return_by", Text: v.ReturnBy.Minute()},
	}
}

// peer is the number of the side that did not open the ticket.
func (v ticketView) peer() string {
	if v.OpenedBy == exchange.Theirs {
		return v.CaseNo
	}
	return v.PeerNo
}

// events are what may be said now, as choices.
func (v ticketView) events() []ui.Option {
	var out []ui.Option
	for _, e := range v.Allowed {
		out = append(out, ui.Option{Value: string(e), Key: "exchange_event." + string(e)})
	}
	return out
}

// asked are the requests that we may decide or answer, as choices.
func (v ticketView) asked(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, q := range v.Requests {
		if q.State == exchange.Asked && q.Way == exchange.In {
			out = append(out, ui.Option{Value: strconv.FormatInt(q.Seq, 10), Text: ui.T(ctx, "exchange_request."+string(q.Kind)) + " " + q.Number + " " + shorter(q.Reason)})
		}
	}
	return out
}

func shorter(s string) string {
	const most = 30
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// may reports whether an event can be said now.
func (v ticketView) may(events ...exchange.Event) bool {
	for _, e := range v.Allowed {
		if slices.Contains(events, e) {
			return true
		}
	}
	return false
}

func excludeOptions() []ui.Option {
	var out []ui.Option
	for _, w := range []string{"overdue", "dissatisfied", "unsolved", "rework"} {
		out = append(out, ui.Option{Value: w, Key: "exchangepage.exclude." + w})
	}
	return out
}

func saidYesNo() []ui.Option {
	return []ui.Option{{Value: "yes", Key: "exchangepage.yes"}, {Value: "no", Key: "exchangepage.no_answer"}}
}

// lineWords say how one side has a ticket.
func lineWords(ctx context.Context, l *exchange.Line) string {
	if l == nil {
		return ui.T(ctx, "exchangepage.none_there")
	}
	return ui.Say(ctx, text.Msg("exchangepage.line", "status", text.Msg("exchange_status."+string(l.Status)), "said", l.Said, "taken", l.Taken))
}

func lateWord(ctx context.Context, late bool) string {
	if late {
		return ui.T(ctx, "exchangepage.late")
	}
	return ""
}

func plural(n int64) string { return strconv.FormatInt(n, 10) }

// failing says since when a platform does not answer.
func failing(ctx context.Context, h exchange.Health) string {
	return ui.T(ctx, "exchangepage.failing", "since", h.FailedAt.Minute())
}

// code is the platform's code in the address of its form.
func (v platformForm) code() string {
	if v.p.Version == 0 {
		return newPlatform
	}
	return v.p.Code
}

// requestWords are what was asked for and what was answered.
func requestWords(ctx context.Context, q exchange.Request) []ui.Fact {
	out := []ui.Fact{{Key: "exchangepage.reason", Text: q.Reason}, {Key: "exchangepage.until", Text: q.Until.Minute()}, {Key: "exchangepage.decided", Text: q.DecidedAt.Minute()}, {Key: "exchangepage.answer", Text: q.Note}}
	if q.What != "" {
		out = append(out, ui.Fact{Key: "exchangepage.exclude", Text: ui.T(ctx, "exchangepage.exclude."+q.What)})
	}
	return out
}

func caseTicketFacts(ctx context.Context, t exchange.View, platforms []exchange.Health) []ui.Fact {
	v := ticketView{View: t}
	return []ui.Fact{
		{Key: "exchangepage.platform", Text: platformName(platforms, t.Platform)},
		{Key: "exchangepage.opened_by", Text: ui.T(ctx, "exchange_side."+string(t.OpenedBy))},
		{Key: "exchangepage.peer_no", Text: v.peer()},
		{Key: "exchangepage.seat", Text: t.Seat},
		{Key: "exchangepage.reply_by", Text: t.ReplyBy.Minute()},
		{Key: "exchangepage.return_by", Text: t.ReturnBy.Minute()},
	}
}

// lastMessages are the last few, for a case's page.
func lastMessages(list []exchange.Entry) []exchange.Entry {
	const most = 4
	return list[max(0, len(list)-most):]
}

// caseTicketActs are what is most asked for on a case's page; its ticket's page has all.
func caseTicketActs(t exchange.View) []exchange.Event {
	var out []exchange.Event
	for _, e := range t.Allowed {
		switch e {
		case exchange.AskReturn, exchange.AskExtension, exchange.AskExclusion, exchange.SuperviseReply, exchange.CallBack, exchange.Redo, exchange.Close:
			out = append(out, e)
		default:
		}
	}
	return out
}

// messageSteps are messages as a timeline: who said what, and what became of it.
func messageSteps(ctx context.Context, list []exchange.Entry) []ui.Step {
	out := make([]ui.Step, len(list))
	for i, m := range list {
		words := []string{m.Note}
		for _, f := range m.Files {
			words = append(words, f.Name)
		}
		said := strings.Join(words, "\n")
		out[i] = ui.Step{
			At: m.SaidAt.MonthDayClock(), Title: ui.T(ctx, "exchange_way."+string(m.Way)) + " " + plural(m.Seq) + " " + ui.T(ctx, "exchange_event."+string(m.Event)),
			Who: ui.T(ctx, "exchange_message."+string(m.State)), Text: said,
		}
		if m.Error != "" {
			out[i].Text = strings.TrimSpace(out[i].Text + "\n" + m.Error)
		}
	}
	return out
}

// ownFiles are the attachments of a case as a form offers them.
func ownFiles(list []blob.Blob) []ui.Option {
	out := make([]ui.Option, len(list))
	for i, b := range list {
		out[i] = ui.Option{Value: b.ID, Text: b.Name + " " + b.CreatedAt.MonthDayClock()}
	}
	return out
}

func fileTone(s exchange.FileState) ui.Tone {
	switch s {
	case exchange.Kept:
		return ui.Green
	case exchange.NotFetched:
		return ui.Red
	case exchange.Wanted:
	}
	return ui.Amber
}
