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
	"sync"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
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
