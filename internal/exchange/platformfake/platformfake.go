// Package platformfake plays a 12345 platform: it speaks the exchange contract from the other side, with lists and a life
// cycle of its own, and checks everything that it is sent: signature, time, nonce, fields, turn, and that one number always
// means one message. It can fail in every way that such a platform fails. Tests and the demonstration city talk to it.
package platformfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

// Fault is a way to fail.
type Fault string

// The ways.
const (
	Down        Fault = "down"         // 503, nothing is taken
	Refuse      Fault = "refuse"       // 422, nothing is taken
	Busy        Fault = "busy"         // 429
	TakenThen5x Fault = "taken_500"    // it is taken, and the answer is an error all the same
	TakenGone   Fault = "taken_gone"   // it is taken, and no answer ever comes
	TakenHalf   Fault = "taken_half"   // it is taken, and half an answer comes
	TakenHTML   Fault = "taken_html"   // it is taken, and a proxy answers with a page
	WrongKey    Fault = "wrong_key"    // 401, as after a change of the secret
	LostTicket  Fault = "lost_ticket"  // it is answered for, and then forgotten
	Forgetful   Fault = "forget_first" // it says that one before it is missing
	LowNext     Fault = "low_next"     // it is taken, and the answer names a number long past as the next
	Stuck       Fault = "stuck"        // nothing is taken, and the answer misses the first for ever
)

// Ways in which the bytes of a file fail.
const (
	FileDown  Fault = "file_down"  // 503
	FileHalf  Fault = "file_half"  // half of it comes
	FileOther Fault = "file_other" // another one of the same length comes
	FileMore  Fault = "file_more"  // it, and more
	FileGone  Fault = "file_gone"  // 404
	FileMoved Fault = "file_moved" // the answer sends elsewhere
)

// Post hands a signed request to the centre.
type Post func(ctx context.Context, path string, in notice.Signed) (status int, body []byte, err error)

// Ticket is a matter as the platform has it.
type Ticket struct {
	No       string // given by who opened it
	OpenedBy exchange.Side
	PeerNo   string // of the centre, for a ticket of the platform; of the platform, for one of the centre
	Status   exchange.Status
	Opened   civil.Instant
	Said     []exchange.Message // by the platform, in order
	Sent     int                // how many of those the centre has
	Taken    []exchange.Message // from the centre, in order
	Failure  string             // what the centre said to the last message that it did not take
	Redone   int
	was      []exchange.Status // before each message of the centre
}

// Platform is the fake; serve it over HTTP.
type Platform struct {
	signer notice.Signer
	base   string // path at the centre, before /messages
	post   Post
	now    func() civil.Instant
	prefix string

	mu      sync.Mutex
	nonces  map[string]bool
	tickets map[string]*Ticket
	order   []string
	n       int
	faults  []Fault
	asked   int
	wrong   []string          // what it was sent that no platform would take
	files   map[string][]byte // its own, by hash
	failing []Fault           // of files
	got     map[string][]byte // the centre's, by hash
}

// Options set up a fake.
type Options struct {
	Signer notice.Signer        // shared with the centre
	Base   string               // path of the centre's interface: /c/990100/hooks/exchange/12345
	Post   Post                 // nil: it only listens
	Now    func() civil.Instant // the clock of its city
	Prefix string               // of its numbers
}

// New makes a platform.
func New(o Options) *Platform {
	return &Platform{
		signer: o.Signer, base: o.Base, post: o.Post, now: o.Now, prefix: o.Prefix, nonces: map[string]bool{}, tickets: map[string]*Ticket{},
		files: map[string][]byte{}, got: map[string][]byte{},
	}
}

// Over posts over HTTP to an address.
func Over(address string, client *http.Client) Post {
	return func(ctx context.Context, path string, in notice.Signed) (int, []byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+path, bytes.NewReader(in.Body))
		if err != nil {
			return 0, nil, err
		}
		notice.SetHeaders(req.Header, in)
		res, err := client.Do(req)
		if err != nil {
			return 0, nil, err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
		return res.StatusCode, b, err
	}
}

// Fail makes the next requests fail, one way each.
func (p *Platform) Fail(ways ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, ways...)
}

// Heal takes back the failures that have not happened yet.
func (p *Platform) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Wrong lists what was against the contract.
func (p *Platform) Wrong() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.wrong...)
}

// Tickets lists everything in the order in which it came up.
func (p *Platform) Tickets() []Ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Ticket, 0, len(p.order))
	for _, k := range p.order {
		if t, ok := p.tickets[k]; ok {
			out = append(out, *t)
		}
	}
	return out
}

// Ticket finds one.
func (p *Platform) Ticket(by exchange.Side, no string) (Ticket, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.tickets[key(by, no)]
	if !ok {
		return Ticket{}, false
	}
	return *t, true
}

// Forget loses a ticket, as a platform that was restored from a backup does.
func (p *Platform) Forget(by exchange.Side, no string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tickets, key(by, no))
}

func key(by exchange.Side, no string) string { return string(by) + "\n" + no }

func (p *Platform) add(t *Ticket) *Ticket {
	k := key(t.OpenedBy, t.No)
	p.tickets[k] = t
	p.order = append(p.order, k)
	return t
}

// Open makes a ticket for the centre; Flush sends it.
func (p *Platform) Open(d exchange.Details) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	day := p.now().Date()
	t := p.add(&Ticket{
		No: fmt.Sprintf("%s%04d%02d%02d%05d", p.prefix, day.Year, day.Month, day.Day, p.n), OpenedBy: exchange.Theirs, Status: exchange.Dispatched, Opened: p.now(),
	})
	p.say(t, exchange.Message{Event: exchange.Dispatch, Details: &d})
	return t.No
}

// Say has the platform say something about a ticket; Flush sends it.
func (p *Platform) Say(by exchange.Side, no string, m exchange.Message) exchange.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.say(p.tickets[key(by, no)], m)
}

func (p *Platform) say(t *Ticket, m exchange.Message) exchange.Message {
	m.Ticket, m.OpenedBy, m.Seq, m.At = t.No, t.OpenedBy, int64(len(t.Said)+1), p.now()
	if t.OpenedBy == exchange.Ours {
		m.PeerNo = t.PeerNo
	}
	if s, err := exchange.Lifecycle.Next(t.Status, m.Event); err == nil {
		t.Status = s.To
	}
	t.Said = append(t.Said, m)
	return m
}

// Flush sends what the centre does not have yet, in order, and tells the first thing that went wrong.
func (p *Platform) Flush(ctx context.Context) error {
	var first error
	for _, t := range p.Tickets() {
		for range 100 {
			done, err := p.next(ctx, t.OpenedBy, t.No)
			if err != nil && first == nil {
				first = fmt.Errorf("ticket %s: %w", t.No, err)
			}
			if done || err != nil {
				break
			}
		}
	}
	return first
}

// next sends the first message that the centre does not have; true when it has all.
func (p *Platform) next(ctx context.Context, by exchange.Side, no string) (bool, error) {
	t, ok := p.Ticket(by, no)
	if !ok || t.Sent >= len(t.Said) {
		return true, nil
	}
	r, err := p.Send(ctx, t.Said[t.Sent])
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, ok := p.tickets[key(by, no)]
	if !ok {
		return true, err
	}
	if err != nil {
		kept.Failure = err.Error()
		return false, err
	}
	kept.Failure = ""
	if r.Result != exchange.Waits {
		kept.Sent = t.Sent + 1
	} else if r.Next > 0 {
		kept.Sent = int(r.Next) - 1
	}
	if by == exchange.Theirs && r.PeerNo != "" {
		kept.PeerNo = r.PeerNo
	}
	return false, nil
}

// Send sends one message as it is, signed anew.
func (p *Platform) Send(ctx context.Context, m exchange.Message) (exchange.Receipt, error) {
	var r exchange.Receipt
	body, err := json.Marshal(m)
	if err != nil {
		return r, err
	}
	return r, p.ask(ctx, "/messages", body, &r)
}

// Ledger asks the centre for its list of a day.
func (p *Platform) Ledger(ctx context.Context, day civil.Date) (exchange.DayList, error) {
	var l exchange.DayList
	body, err := json.Marshal(exchange.DayAsked{Day: day})
	if err != nil {
		return l, err
	}
	return l, p.ask(ctx, "/ledger", body, &l)
}

// Resend asks the centre for what it said about a ticket.
func (p *Platform) Resend(ctx context.Context, in exchange.Missing) (exchange.Messages, error) {
	var l exchange.Messages
	body, err := json.Marshal(in)
	if err != nil {
		return l, err
	}
	return l, p.ask(ctx, "/resend", body, &l)
}

func (p *Platform) ask(ctx context.Context, path string, body []byte, out any) error {
	path = p.base + path
	status, raw, err := p.post(ctx, path, p.signer.Sign(path, body))
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return fmt.Errorf("status %d: %s", status, raw)
	}
	return json.Unmarshal(raw, out)
}

// ServeHTTP takes what the centre sends.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := notice.FromRequest(r)
	if err != nil || r.Method != http.MethodPost {
		problem(w, http.StatusBadRequest, "not a signed POST request", nil)
		return
	}
	p.mu.Lock()
	way := p.fault(r.URL.Path)
	if way == WrongKey || p.signer.Verify(in) != nil || p.nonces[in.Nonce] {
		p.mu.Unlock()
		problem(w, http.StatusUnauthorized, "bad signature", nil)
		return
	}
	p.nonces[in.Nonce] = true
	status, answer := p.answer(way, last(r.URL.Path), in.Body)
	p.mu.Unlock()
	reply(w, way, status, answer)
}

// fault is the way in which a request fails: only messages fail.
func (p *Platform) fault(path string) Fault {
	if last(path) != "messages" || len(p.faults) == 0 {
		return ""
	}
	f := p.faults[0]
	p.faults = p.faults[1:]
	return f
}

func last(path string) string {
	u := url.URL{Path: path}
	for i := len(u.Path) - 1; i >= 0; i-- {
		if u.Path[i] == '/' {
			return u.Path[i+1:]
		}
	}
	return path
}

func (p *Platform) answer(way Fault, what string, body []byte) (int, any) {
	switch way {
	case Down:
		return http.StatusServiceUnavailable, "down"
	case Busy:
		return http.StatusTooManyRequests, "slow down"
	case Refuse:
		return http.StatusUnprocessableEntity, "this office does not take it so"
	case TakenThen5x, TakenGone, TakenHalf, TakenHTML, WrongKey, LostTicket, Forgetful, LowNext, Stuck, FileDown, FileHalf, FileOther, FileMore, FileGone, FileMoved:
	}
	switch what {
	case "messages":
		return p.messages(way, body)
	case "resend":
		var q exchange.Missing
		if json.Unmarshal(body, &q) != nil {
			return http.StatusBadRequest, "not JSON"
		}
		out := exchange.Messages{Messages: []exchange.Message{}}
		if t, ok := p.tickets[key(q.OpenedBy, q.Ticket)]; ok && q.From >= 1 && int(q.From) <= len(t.Said) {
			out.Messages = append(out.Messages, t.Said[q.From-1:]...)
			t.Sent = len(t.Said)
		}
		return http.StatusOK, out
	case "ledger":
		return p.list(body)
	case "files":
		return p.give(body)
	}
	return http.StatusNotFound, "no such address"
}

func (p *Platform) messages(way Fault, body []byte) (int, any) {
	var m exchange.Message
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return p.no(http.StatusBadRequest, err.Error())
	}
	if err := m.Check(p.now().Add(time.Minute)); err != nil {
		return p.no(http.StatusUnprocessableEntity, err.Error())
	}
	p.asked++
	if way == Stuck {
		return http.StatusOK, exchange.Receipt{Result: exchange.Waits, Ticket: m.Ticket, Status: exchange.Dispatched, Next: 1}
	}
	r, status, why := p.take(m)
	if why != "" {
		return p.no(status, why)
	}
	if way == LostTicket {
		delete(p.tickets, key(m.OpenedBy, m.Ticket))
	}
	if way == Forgetful && m.Seq > 1 {
		t := p.tickets[key(m.OpenedBy, m.Ticket)]
		t.Status = t.was[m.Seq-2]
		t.Taken, t.was = t.Taken[:m.Seq-2], t.was[:m.Seq-2]
		r.Result, r.Next = exchange.Waits, m.Seq-1
	}
	if way == LowNext {
		r.Next = 1
	}
	return http.StatusOK, r
}

// Asked is how many messages it was handed, those that it knew included.
func (p *Platform) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *Platform) no(status int, why string) (int, any) {
	p.wrong = append(p.wrong, why)
	return status, why
}

func (p *Platform) take(m exchange.Message) (exchange.Receipt, int, string) {
	t, ok := p.tickets[key(m.OpenedBy, m.Ticket)]
	if !ok {
		if m.OpenedBy != exchange.Ours {
			return exchange.Receipt{}, http.StatusNotFound, "no ticket " + m.Ticket
		}
		if m.Seq != 1 || m.Event != exchange.Dispatch {
			return exchange.Receipt{Result: exchange.Waits, Ticket: m.Ticket, Status: exchange.Dispatched, Next: 1}, 0, ""
		}
		p.n++
		t = p.add(&Ticket{No: m.Ticket, OpenedBy: exchange.Ours, PeerNo: fmt.Sprintf("%sX%06d", p.prefix, p.n), Status: exchange.Dispatched, Opened: p.now()})
	}
	r := exchange.Receipt{Result: exchange.Applied, Ticket: t.No, Status: t.Status, Next: int64(len(t.Taken) + 1)}
	if t.OpenedBy == exchange.Ours {
		r.PeerNo = t.PeerNo
	}
	switch {
	case m.Seq <= int64(len(t.Taken)):
		if was := t.Taken[m.Seq-1]; was.Seq > 0 && was.Hash() != m.Hash() {
			return r, http.StatusConflict, fmt.Sprintf("%s number %d said something else before", t.No, m.Seq)
		}
		r.Result = exchange.Known
		return r, 0, ""
	case m.Seq > int64(len(t.Taken)+1):
		r.Result = exchange.Waits
		return r, 0, ""
	}
	before := t.Status
	if s, err := exchange.Lifecycle.Next(t.Status, m.Event); err == nil {
		t.Status = s.To
	} else if m.Event != exchange.Dispatch && moves(m.Event) && !crossed(t, m) {
		return r, http.StatusUnprocessableEntity, fmt.Sprintf("%s is %s: no %s (%v)", t.No, t.Status, m.Event, fault.KindOf(err))
	}
	t.Taken, t.was = append(t.Taken, m), append(t.was, before)
	if t.OpenedBy == exchange.Theirs && m.PeerNo != "" {
		t.PeerNo = m.PeerNo
	}
	r.Status, r.Next = t.Status, int64(len(t.Taken)+1)
	return r, 0, ""
}

// crossed reports whether the platform has said something that the centre cannot have known: both spoke at once.
func crossed(t *Ticket, _ exchange.Message) bool { return t.Sent < len(t.Said) }

func moves(e exchange.Event) bool {
	for _, s := range exchange.Lifecycle.Steps {
		if s.Event == e {
			return true
		}
	}
	return false
}

func (p *Platform) list(body []byte) (int, any) {
	var q exchange.DayAsked
	if json.Unmarshal(body, &q) != nil || q.Day.IsZero() {
		return http.StatusBadRequest, "no day"
	}
	out := exchange.DayList{Tickets: []exchange.Line{}}
	for _, t := range p.tickets {
		if t.Opened.Date() == q.Day {
			out.Tickets = append(out.Tickets, exchange.Line{
				Ticket: t.No, OpenedBy: t.OpenedBy, PeerNo: t.PeerNo, Status: t.Status, Said: int64(len(t.Said)), Taken: int64(len(t.Taken)),
			})
		}
	}
	sort.Slice(out.Tickets, func(i, j int) bool { return out.Tickets[i].Ticket < out.Tickets[j].Ticket })
	return http.StatusOK, out
}

// reply answers, or fails to.
func reply(w http.ResponseWriter, way Fault, status int, answer any) {
	switch way {
	case TakenThen5x:
		problem(w, http.StatusInternalServerError, "the answer was lost", nil)
		return
	case TakenGone:
		panic(http.ErrAbortHandler)
	case TakenHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Bad gateway?</html>") // whoever asked is gone
		return
	case TakenHalf:
		raw, _ := json.Marshal(answer) // plain values
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw[:len(raw)/2]) // whoever asked is gone
		return
	case Down, Refuse, Busy, WrongKey, LostTicket, Forgetful, LowNext, Stuck, FileDown, FileHalf, FileOther, FileMore, FileGone, FileMoved:
	}
	if raw, file := answer.([]byte); file {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(raw) // whoever asked is gone
		return
	}
	if why, bad := answer.(string); bad {
		problem(w, status, why, nil)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked is gone
}

func problem(w http.ResponseWriter, status int, detail string, fields []string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "detail": detail, "fields": fields}) // whoever asked is gone
}

// Adopt takes up the tickets of a day from the centre's list, as a platform that begins anew does; what was said before
// stays with the centre.
func (p *Platform) Adopt(ctx context.Context, day civil.Date) error {
	list, err := p.Ledger(ctx, day)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range list.Tickets {
		if _, known := p.tickets[key(l.OpenedBy, l.Ticket)]; known {
			continue
		}
		p.n++
		p.add(&Ticket{
			No: l.Ticket, OpenedBy: l.OpenedBy, PeerNo: l.PeerNo, Status: l.Status, Opened: day.Start(), Said: make([]exchange.Message, l.Taken), Sent: int(l.Taken),
			Taken: make([]exchange.Message, l.Said), was: make([]exchange.Status, l.Said),
		})
	}
	return nil
}

// Work does what the platform's people do meanwhile: they call back and close what was answered, have every third done
// again once, and see to what the centre passed on to them, one step at a time.
func (p *Platform) Work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.order {
		t, ok := p.tickets[k]
		if !ok || t.Sent < len(t.Said) {
			continue
		}
		if t.OpenedBy == exchange.Theirs {
			p.asks(t, i)
		} else {
			p.do(t)
		}
	}
}

// asks is what the asker does next with a ticket.
func (p *Platform) asks(t *Ticket, i int) {
	switch t.Status {
	case exchange.Replied:
		if i%3 == 2 && t.Redone == 0 {
			t.Redone++
			p.say(t, exchange.Message{Event: exchange.Redo, Text: "市民回访不满意，家中仍不热，请二次办理。"})
			return
		}
		p.say(t, exchange.Message{Event: exchange.CallBack, Reached: "yes", Solved: "yes", Satisfied: "yes", Text: "市民表示满意。"})
	case exchange.CalledBack:
		p.say(t, exchange.Message{Event: exchange.Close})
	case exchange.Returning:
		p.say(t, exchange.Message{Event: exchange.GrantReturn})
	case exchange.Dispatched, exchange.Accepted, exchange.Handling, exchange.Closed, exchange.Returned, exchange.Cancelled:
	}
}

// do is what the doer does next with a ticket of the centre.
func (p *Platform) do(t *Ticket) {
	switch t.Status {
	case exchange.Dispatched:
		p.say(t, exchange.Message{Event: exchange.Accept})
	case exchange.Accepted:
		p.say(t, exchange.Message{Event: exchange.Review})
	case exchange.Handling:
		p.say(t, exchange.Message{Event: exchange.Reply, Text: "已转市水务部门现场处置，漏点已修复。", Solved: "yes"})
	case exchange.Returning, exchange.Replied, exchange.CalledBack, exchange.Closed, exchange.Returned, exchange.Cancelled:
	}
}
