package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// messageRoutes are the list of what residents and staff were told, and what must still be told by hand.
func (w *Web) messageRoutes() []Route {
	if w.Notices == nil || w.Cases == nil {
		return nil
	}
	read := mayInAll(actor.CaseUrge)
	return []Route{
		get("/c/{city}/messages", read, w.messages),
		get("/c/{city}/messages/export", mayInAll(actor.CaseExport), w.messageExport),
		get("/c/{city}/messages/costs", read, w.messageCosts),
		get("/c/{city}/messages/wordings", may(actor.NoticeWrite), w.wordings),
		post("/c/{city}/messages/wordings", may(actor.NoticeWrite), w.word),
		post("/c/{city}/messages/wordings/{wording}", may(actor.NoticeApprove), w.decideWording),
		post("/c/{city}/messages/refusals", read, w.refuseMessages),
		get("/c/{city}/messages/{message}", read, w.message),
		post("/c/{city}/messages/{message}/{do}", read, w.moveMessage),
	}
}

type messageQuery struct {
	notice.Filter
	Format sheet.Format `form:"format"`
}

// messagesView is a page of messages with the numbers of the cases they are about.
type messagesView struct {
	city   int
	query  notice.Filter
	list   page.Of[notice.View]
	loads  []notice.Load
	cases  map[string]cases.Case
	orgs   orgs
	export bool
	wrong  bool // the filter of the address is none
}

// messages lists the messages of the city, newest first.
func (w *Web) messages(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[messageQuery](r)
	if err == nil {
		err = q.Check()
	}
	bad := err
	if bad != nil && !fault.Is(bad, fault.Invalid) {
		return bad
	}
	ctx := r.Context()
	v := messagesView{city: httpx.City(ctx), query: q.Filter, wrong: bad != nil}
	if v.wrong {
		v.query = notice.Filter{}
	}
	v.export = mayInAll(actor.CaseExport).allows(by(r), v.city) == nil
	if v.list, err = w.Notices.List(ctx, by(r), v.city, v.query); err != nil {
		return err
	}
	if v.loads, err = w.Notices.Loads(ctx, by(r), v.city); err != nil {
		return err
	}
	if v.cases, err = w.casesOf(r, v.list.Items); err != nil {
		return err
	}
	if v.orgs, err = w.orgsOf(ctx, by(r), v.city); err != nil {
		return err
	}
	status := http.StatusOK
	if v.wrong {
		status = http.StatusUnprocessableEntity
	}
	return w.showAs(rw, r, status, ui.Staff, Page{Title: text.Msg("messagepage.title"), Nav: "messages", Body: messagesBody(v)})
}

// caseOf is the id of the case that a message is about; empty when it is about something else.
func caseOf(n notice.Notice) string {
	id, _ := strings.CutPrefix(n.Subject, "case:")
	if id == n.Subject {
		return ""
	}
	return id
}

// casesOf finds the cases that messages are about.
func (w *Web) casesOf(r *http.Request, list []notice.View) (map[string]cases.Case, error) {
	out := map[string]cases.Case{}
	var f cases.Filter
	for _, n := range list {
		if id := caseOf(n.Notice); id != "" {
			f.IDs = append(f.IDs, id)
		}
	}
	if len(f.IDs) == 0 {
		return out, nil
	}
	f.Size = page.MaxSize
	found, err := w.Cases.List(r.Context(), by(r), httpx.City(r.Context()), f)
	for _, c := range found.Items {
		out[c.ID] = c
	}
	return out, err
}

// messageExport sends every message of the filter as a table.
func (w *Web) messageExport(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[messageQuery](r)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	keys := []string{"created", "channel", "to", "text", "state", "reason", "sent", "delivered", "answer", "case"}
	columns := make([]string, len(keys))
	for i, k := range keys {
		columns[i] = "messagepage." + k
	}
	return w.sendSheet(rw, r, "messages", columns, func(out sheet.Writer) error {
		return w.Notices.Export(ctx, by(r), city, q.Filter, func(n notice.View) error {
			return out.Row(n.Created.Minute(), ui.T(ctx, "notice.channel."+string(n.Channel)), receiver(ctx, n), n.Text, ui.T(ctx, "notice.state."+string(n.State)),
				reasonOf(ctx, n), n.SentAt.Minute(), n.DeliveredAt.Minute(), answerOf(ctx, n), caseOf(n.Notice))
		})
	})
}

// messageView is one message with what can be done about it.
type messageView struct {
	notice.View
	city  int
	file  *cases.Case
	orgs  orgs
	tried string // the act that was refused
	form  ui.Form
}

func (w *Web) messageView(r *http.Request) (messageView, error) {
	ctx := r.Context()
	v := messageView{city: httpx.City(ctx)}
	var err error
	if v.View, err = w.Notices.Get(ctx, by(r), v.city, param(r, "message")); err != nil {
		return v, err
	}
	found, err := w.casesOf(r, []notice.View{v.View})
	if err != nil {
		return v, err
	}
	if c, ok := found[caseOf(v.Notice)]; ok {
		v.file = &c
	}
	v.orgs, err = w.orgsOf(ctx, by(r), v.city)
	return v, err
}

func messagePageOf(v messageView) Page {
	return Page{Title: text.Msg("messagepage.one"), Nav: "messages", Body: messageBody(v)}
}

// message shows one message.
func (w *Web) message(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.messageView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, messagePageOf(v))
}

// moveMessage notes that staff told a message themselves, or sends it again.
func (w *Web) moveMessage(rw http.ResponseWriter, r *http.Request) error {
	do := param(r, "do")
	acts := map[string]func(context.Context, actor.Actor, notice.ByHand) (notice.Notice, error){"tell": w.Notices.Tell, "resend": w.Notices.Resend}
	act, ok := acts[do]
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	in, err := httpx.Bind[notice.ByHand](r)
	if err == nil {
		in.City, in.ID = httpx.City(r.Context()), param(r, "message")
		_, err = act(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.messageView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.tried, v.form = do, f
			return messagePageOf(v)
		})
	}
	return w.done(rw, r, messageList(in.City, "state", string(notice.Held)), text.Msg("messagepage.done."+do))
}

func messageList(city int, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return withQuery(at("/c/{city}/messages", city), q)
}

func messagePath(city int, id string) string {
	return at("/c/{city}/messages/", city) + url.PathEscape(id)
}

// byHand reports whether staff may still tell a message or send it again.
func (v messageView) byHand() bool {
	_, err := notice.Lifecycle.Next(v.State, notice.TellSelf)
	return err == nil && (v.To != "" || v.Channel == notice.Console)
}

// formOf is the state of the form of one act.
func (v messageView) formOf(do string) ui.Form {
	if v.tried == do {
		return v.form.As(do)
	}
	return ui.Form{}.As(do)
}

// receiver is whom a message goes to: the masked address of a resident, or the role of staff.
func receiver(ctx context.Context, n notice.View) string {
	if n.To != "" || n.Role == "" {
		return n.To
	}
	return ui.T(ctx, "role."+string(n.Role))
}

func reasonOf(ctx context.Context, n notice.View) string {
	if n.Reason == "" {
		return ""
	}
	return ui.T(ctx, n.Reason)
}

// answerOf is what the resident answered to the question of a message.
func answerOf(ctx context.Context, n notice.View) string {
	switch q := n.Question; {
	case q == nil:
		return ""
	case q.Answer != "":
		return firstKey(ctx, q.Answer, "messagepage.answer."+q.Answer)
	case q.Door == notice.Withdrawn:
		return ui.T(ctx, "messagepage.answer.withdrawn")
	case q.Expires < ui.Now(ctx):
		return ui.T(ctx, "messagepage.answer.none")
	}
	return ui.T(ctx, "messagepage.answer.waiting")
}

func messageTone(s notice.State) ui.Tone {
	switch s {
	case notice.Queued:
		return ui.Blue
	case notice.Held:
		return ui.Amber
	case notice.Failed:
		return ui.Red
	case notice.Delivered:
		return ui.Green
	case notice.Dropped:
		return ui.Grey
	case notice.Sent:
	}
	return ui.Teal
}

// tabs are the states of messages; figures stand at those in which something waits.
func (v messagesView) tabs() []ui.Link {
	waiting := map[notice.State]int{}
	for _, l := range v.loads {
		waiting[l.State] = l.N
	}
	q := cloneQuery(url.Values{"channel": {string(v.query.Channel)}, "subject": {v.query.Subject}, "from": {v.query.From.String()}, "to": {v.query.To.String()}})
	link := func(key, name, value string, n int) ui.Link {
		to := cloneQuery(q)
		if name != "" {
			to.Set(name, value)
		}
		now := name == "" && v.query.State == "" && v.query.Answer == "" || name == "state" && string(v.query.State) == value || name == "answer" && v.query.Answer == value
		return ui.Link{Key: key, Href: withQuery(at("/c/{city}/messages", v.city), to), Current: now, Count: n}
	}
	out := []ui.Link{link("ui.all", "", "", 0)}
	for _, s := range []notice.State{notice.Held, notice.Failed, notice.Queued, notice.Sent, notice.Delivered, notice.Dropped} {
		out = append(out, link("notice.state."+string(s), "state", string(s), waiting[s]))
	}
	return append(out, link("messagepage.answered", "answer", notice.Answered, 0), link("messagepage.unanswered", "answer", notice.Unanswered, 0))
}
