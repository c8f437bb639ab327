package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Result is what became of a message.
type Result string

// The results.
const (
	Applied Result = "applied"
	Known   Result = "known" // it was taken before; nothing was done twice
	Waits   Result = "held"  // one before it is missing
)

// Receipt is the answer to a message, the same in both directions.
type Receipt struct {
	Result Result `json:"result"`
	Ticket string `json:"ticket"`
	PeerNo string `json:"peer_no,omitempty"` // number that the side that answers gave to the matter
	Status Status `json:"status"`
	Next   int64  `json:"next"` // number of the message that is wanted next
}

// from finds who signed a request. Whatever is wrong gets the same answer; the log says what it was.
func (s *Service) from(ctx context.Context, tx *db.Tx, city int, code string, in notice.Signed) (Platform, error) {
	denied := func(why string) error {
		s.o.Log.WarnContext(ctx, "exchange: a request was refused", "city", city, "platform", code, "path", in.Path, "why", why)
		return fault.New(fault.Denied, "exchange.bad_signature")
	}
	p, err := platformIn(ctx, tx, city, code)
	switch {
	case fault.Is(err, fault.NotFound):
		return p, denied("no such platform")
	case err != nil:
		return p, err
	case !p.Active:
		return p, denied("switched off")
	}
	signer, err := s.signer(p)
	if err != nil {
		return p, fmt.Errorf("open the secret of platform %s: %w", code, err)
	}
	if err := signer.Verify(in); err != nil || len(in.Nonce) > 100 {
		return p, denied("signature, account or time")
	}
	return p, nil
}

// once refuses a request that was sent before: the nonce of each is used a single time.
func (s *Service) once(ctx context.Context, tx *db.Tx, p Platform, in notice.Signed) error {
	fresh, err := channel.UseNonceIn(ctx, tx, channel.Nonce{City: p.City, Channel: nonces, Account: p.Code, Word: in.Nonce}, s.o.Machine())
	if err == nil && !fresh {
		s.o.Log.WarnContext(ctx, "exchange: a request was refused", "city", p.City, "platform", p.Code, "path", in.Path, "why", "replayed")
		return fault.New(fault.Denied, "exchange.replayed")
	}
	return err
}

// nonces is under which name the requests of platforms are remembered beside those of the channels.
const nonces = "exchange"

// Take takes a signed message of a platform: once, in turn, or with the name of the field that is wrong.
func (s *Service) Take(ctx context.Context, city int, code string, in notice.Signed) (Receipt, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Receipt, error) {
		p, err := s.from(ctx, tx, city, code, in)
		if err != nil {
			return Receipt{}, err
		}
		if err := s.once(ctx, tx, p, in); err != nil {
			return Receipt{}, err
		}
		m, err := jsonl.Decode[Message](in.Body)
		if err != nil {
			return Receipt{}, err
		}
		if err := heard(ctx, tx, p); err != nil {
			return Receipt{}, err
		}
		return s.takeIn(ctx, tx, p, m)
	})
}

func (s *Service) takeIn(ctx context.Context, tx *db.Tx, p Platform, m Message) (Receipt, error) {
	if err := m.Check(tx.Now); err != nil {
		return Receipt{}, err
	}
	t, err := s.ticketFor(ctx, tx, p, m)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case m.Seq <= t.Taken:
		e, ok, err := entryBySeq(ctx, tx, t, In, m.Seq)
		if err == nil && ok && e.Hash != m.Hash() {
			err = fault.New(fault.Conflict, "exchange.other_content", "seq", m.Seq)
		}
		return t.receipt(Known), err
	case m.Seq > t.Taken+1:
		return s.holdIn(ctx, tx, t, m)
	}
	kept, err := s.applyIn(ctx, tx, p, &t, m)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.drainIn(ctx, tx, p, &t); err != nil {
		return Receipt{}, err
	}
	return t.receipt(Applied), saveTicket(ctx, tx, kept, &t)
}

func (t Ticket) receipt(r Result) Receipt {
	out := Receipt{Result: r, Ticket: t.No, PeerNo: t.CaseNo, Status: t.Status, Next: t.Taken + 1}
	if t.OpenedBy == Ours {
		out.PeerNo = ""
	}
	return out
}

// ticketFor finds the ticket of a message. A number of theirs that is not known yet makes one, which is written when its
// first message was taken or when it has something to wait for.
func (s *Service) ticketFor(ctx context.Context, tx *db.Tx, p Platform, m Message) (Ticket, error) {
	t, ok, err := ticketByNo(ctx, tx, p.City, p.Code, m.OpenedBy, m.Ticket)
	if err != nil || ok {
		return t, err
	}
	if m.OpenedBy == Ours {
		var c fault.Check
		c.Add("ticket", "exchange.no_ticket", "no", m.Ticket)
		return t, c.Err()
	}
	return Ticket{City: p.City, ID: tx.NewID(), Platform: p.Code, No: m.Ticket, OpenedBy: Theirs, Status: Dispatched, Part: First, OpenedAt: m.At}, nil
}

// holdIn keeps a message that came before its turn.
func (s *Service) holdIn(ctx context.Context, tx *db.Tx, t Ticket, m Message) (Receipt, error) {
	if t.Version > 0 {
		if e, ok, err := entryBySeq(ctx, tx, t, In, m.Seq); err != nil || ok {
			if err == nil && e.Hash != m.Hash() && e.State == Held {
				err = fault.New(fault.Conflict, "exchange.other_content", "seq", m.Seq)
			}
			return t.receipt(Waits), err
		}
	}
	was := t
	if t.GapSince.IsZero() {
		t.GapSince = tx.Now
	}
	if t.Version == 0 {
		t.Version, t.UpdatedAt = 1, tx.Now
		if err := insertTicket(ctx, tx, t); err != nil {
			return Receipt{}, err
		}
		was = t
	}
	e, err := s.entry(ctx, tx, &t, In, m)
	if err != nil {
		return Receipt{}, err
	}
	e.State = Held
	if err := insertEntry(ctx, tx, e); err != nil {
		return Receipt{}, err
	}
	return t.receipt(Waits), saveTicket(ctx, tx, was, &t)
}

// applyIn takes the message whose turn it is; it gives the ticket as it stands in the database by then.
func (s *Service) applyIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket, m Message) (kept Ticket, err error) {
	kept = *t
	if err := s.stepIn(ctx, tx, p, t, m); err != nil {
		return kept, err
	}
	e, err := s.entry(ctx, tx, t, In, m)
	if err != nil {
		return kept, err
	}
	e.State, e.DoneAt = TakenIn, tx.Now
	if t.Version == 0 { // its messages point at it
		t.Version, t.UpdatedAt = 1, tx.Now
		if err := insertTicket(ctx, tx, *t); err != nil {
			return kept, err
		}
		kept = *t
	}
	if err := insertEntry(ctx, tx, e); err != nil {
		return kept, err
	}
	return kept, s.followed(ctx, tx, p, t, e, m)
}

// stepIn brings the ticket to where a message leads, or says which field does not fit.
func (s *Service) stepIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket, m Message) error {
	if m.Seq == 1 && t.OpenedBy == Theirs {
		if m.Event != Dispatch {
			var c fault.Check
			c.Add("event", "exchange.first_dispatch")
			return c.Err()
		}
		t.Taken = 1
		return s.openIn(ctx, tx, p, t, m)
	}
	to, err := t.next(m.Event, Theirs)
	if err != nil {
		return err
	}
	if m.Event == AskReturn && t.windowOver(tx.Now) {
		var c fault.Check
		c.Add("event", "exchange.window_over", "until", t.ReturnBy.Minute())
		return c.Err()
	}
	if err := s.requested(ctx, tx, t, In, m); err != nil {
		return err
	}
	t.Status, t.Taken = to, m.Seq
	if m.PeerNo != "" && t.OpenedBy == Ours {
		return s.peerIn(ctx, tx, p, t, m.PeerNo)
	}
	return nil
}

// drainIn takes what waited for the message that has just come.
func (s *Service) drainIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket) error {
	for {
		e, ok, err := entryBySeq(ctx, tx, *t, In, t.Taken+1)
		if err != nil {
			return err
		}
		if !ok || e.State != Held {
			break
		}
		m, err := s.open(ctx, tx, e)
		if err != nil {
			return err
		}
		was := e
		err = s.stepIn(ctx, tx, p, t, m)
		switch {
		case fault.Is(err, fault.Invalid): // it could not be told before: its number is asked for again
			if err := dropEntry(ctx, tx, e); err != nil {
				return err
			}
			t.Attention = "exchange.attention.unfit"
			return s.gapLeft(ctx, tx, t)
		case err != nil:
			return err
		}
		e.State, e.DoneAt = TakenIn, tx.Now
		if err := saveEntry(ctx, tx, was, e); err != nil {
			return err
		}
		if err := s.followed(ctx, tx, p, t, e, m); err != nil {
			return err
		}
	}
	return s.gapLeft(ctx, tx, t)
}

// gapLeft notes whether messages still wait for one before them.
func (s *Service) gapLeft(ctx context.Context, tx *db.Tx, t *Ticket) error {
	n, err := heldOf(ctx, tx, *t)
	switch {
	case err != nil:
		return err
	case n == 0:
		t.GapSince, t.AskedAgain = 0, 0
	case t.GapSince.IsZero():
		t.GapSince = tx.Now
	}
	return nil
}

// entry seals a message for keeping.
func (s *Service) entry(ctx context.Context, tx *db.Tx, t *Ticket, way Way, m Message) (Entry, error) {
	who, err := s.person(ctx, tx, t)
	if err != nil {
		return Entry{}, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return Entry{}, err
	}
	return Entry{
		City: t.City, ID: tx.NewID(), Ticket: t.ID, Platform: t.Platform, Way: way, Seq: m.Seq, Event: m.Event, SaidAt: m.At, Note: note(m),
		Person: who.ID, Body: who.Seal("exchange.message", string(body)), Hash: m.Hash(), Files: m.Attachments, Created: tx.Now,
	}, nil
}

// note is what staff read of a message, masked.
func note(m Message) string {
	said := m.Text
	if m.Details != nil {
		said = m.Details.Text
	}
	return secret.MaskText(said)
}

// person is whose key seals a ticket's messages; without a caller the ticket has one of its own.
func (s *Service) person(ctx context.Context, tx *db.Tx, t *Ticket) (secret.Person, error) {
	if t.Person != "" {
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, t.City, t.Person)
		if err != nil || !p.Erased {
			return p, err
		}
	}
	p, err := secret.Subject(ctx, tx, s.o.Ring, t.City, secret.Phone, "")
	t.Person = p.ID
	return p, err
}

// open reads a kept message again. Once its person was erased nothing is left to say.
func (s *Service) open(ctx context.Context, tx *db.Tx, e Entry) (Message, error) {
	gone := Message{Seq: e.Seq, Event: Skip, At: e.SaidAt, Text: text.T(text.ZH, "exchange.erased")}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, e.City, e.Person)
	if err != nil || p.Erased {
		return gone, err
	}
	plain, err := p.Open("exchange.message", e.Body)
	if err != nil {
		return gone, fmt.Errorf("open message %s: %w", e.ID, err)
	}
	var m Message
	err = json.Unmarshal([]byte(plain), &m)
	return m, err
}

// openIn makes a case of a platform's ticket. A number that came here before by another door (a list, a telephone call) is
// the same matter.
func (s *Service) openIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket, m Message) error {
	d := *m.Details
	rules, err := s.o.Cases.Rules(ctx, tx, p.City)
	if err != nil {
		return err
	}
	no := t.No
	if other, err := numberOfOther(ctx, tx, p, no); err != nil {
		return err
	} else if other {
		no = p.Code + "/" + no
	}
	in := cases.Opening{
		City: p.City, Door: citypack.DoorImport, Channel: p.Kind.Channel(), TicketNo: no, ReceivedAt: d.ReceivedAt, Text: d.Text, Address: d.Address,
		Caller: d.Caller, Secret: d.Secret, Nature: natureOf(d.Nature), Urgency: levelOf(d.Level), Category: categoryOf(rules.Pack, d.Category),
	}
	opened, err := s.o.Cases.OpenIn(ctx, tx, system(p), in)
	if err != nil {
		var c fault.Check
		if c.Merge("details", err) {
			return c.Err()
		}
		return err
	}
	c := opened.Case
	t.Case, t.CaseNo, t.District, t.Company = c.ID, c.No, c.District, cmp.Or(c.Company, c.Proposed)
	t.Person, t.Part, t.Seat, t.Title, t.OpenedAt = c.CallerID, cmp.Or(d.Part, First), d.Seat, titleOf(c), tx.Now
	t.AcceptBy, t.ReplyBy = d.AcceptBy, d.ReplyBy
	if p.ReturnMinutes > 0 {
		t.ReturnBy = tx.Now.Add(time.Duration(p.ReturnMinutes) * time.Minute)
	}
	return nil
}

// titleOf says in few words what a case is about; addresses are plain, telephones masked.
func titleOf(c cases.Case) string {
	const most = 60
	r := []rune(strings.TrimSpace(c.Address + " " + c.Text))
	if len(r) > most {
		r = append(r[:most], '…')
	}
	return string(r)
}

// peerIn keeps the number that the other side gave to a ticket of ours, on the case too, by which it is then found.
func (s *Service) peerIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket, no string) error {
	if t.PeerNo == no {
		return nil
	}
	t.PeerNo = no
	if t.Case == "" {
		return nil
	}
	c, err := s.o.Cases.GetIn(ctx, tx, system(p), t.City, t.Case)
	if err != nil {
		return err
	}
	taken, err := ticketNoTaken(ctx, tx, c, no) // asked before: a unique key that is broken ends the whole transaction
	if err != nil {
		return err
	}
	act := audit.Act{Act: "exchange.number", Body: map[string]any{"platform": p.Code, "no": no}}
	_, err = s.o.Cases.EditIn(ctx, tx, system(p), t.City, t.Case, act, func(c *cases.Case) error {
		if c.TicketNo == "" && !taken {
			c.TicketNo = no
		}
		return nil
	})
	if db.IsUnique(err) {
		return db.ErrRetry // another case got the number in between
	}
	return err
}

// requested opens or decides what is asked for beside the ticket.
func (s *Service) requested(ctx context.Context, tx *db.Tx, t *Ticket, way Way, m Message) error {
	if kind, ok := asks[m.Event]; ok {
		return insertRequest(ctx, tx, Request{
			City: t.City, Ticket: t.ID, Way: way, Seq: m.Seq, Kind: kind, State: Asked, Reason: secret.MaskText(m.Text), What: m.What, Number: m.Number,
			Until: m.Until, AskedAt: tx.Now,
		})
	}
	d, ok := decides[m.Event]
	if !ok {
		return nil
	}
	other := In
	if way == In {
		other = Out
	}
	r, found, err := requestIn(ctx, tx, *t, other, m.Answers)
	if err != nil {
		return err
	}
	var c fault.Check
	if !found || r.Kind != d.kind {
		c.Add("answers", "exchange.no_request", "seq", m.Answers)
		return c.Err()
	}
	step, err := Requests.Next(r.State, d.event)
	if err != nil {
		c.Add("answers", "exchange.decided_before")
		return c.Err()
	}
	r.State, r.DecidedAt, r.Note = step.To, tx.Now, secret.MaskText(m.Text)
	if r.Kind == Extension && r.State == Granted {
		t.ReplyBy = r.Until
	}
	return saveRequest(ctx, tx, r)
}

// effects are the messages of an asker that mean something for the case; a job does it.
var effects = map[Event]bool{Cancel: true, Redo: true, Urge: true, Supervise: true, CallBack: true, GrantReturn: true}

// followed notes on the case what a platform said, lets staff know, and leaves what it means for the case to a job.
func (s *Service) followed(ctx context.Context, tx *db.Tx, p Platform, t *Ticket, e Entry, m Message) error {
	if t.Case == "" {
		return nil
	}
	if err := s.wantIn(ctx, tx, t, e); err != nil {
		return err
	}
	body := map[string]any{"platform": p.Code, "ticket": t.No, "event": m.Event, "text": e.Note}
	if err := audit.Record(ctx, tx, system(p), t.City, audit.Act{Subject: "case:" + t.Case, Act: "exchange." + string(m.Event), Body: body}); err != nil {
		return err
	}
	if m.Event == Dispatch {
		return s.acceptedIn(ctx, tx, p, t)
	}
	if t.OpenedBy == Theirs && effects[m.Event] {
		if err := jobs.Add(ctx, tx, t.City, acting{e.ID}, jobs.When{}); err != nil {
			return err
		}
	}
	if s.o.Tell == nil || m.Event == Skip {
		return nil
	}
	return s.o.Tell(ctx, tx, *t, p, string(m.Event), e.ID)
}

// acceptedIn answers a dispatch with what became of it in the same transaction.
func (s *Service) acceptedIn(ctx context.Context, tx *db.Tx, p Platform, t *Ticket) error {
	c, err := s.o.Cases.GetIn(ctx, tx, system(p), t.City, t.Case)
	if err != nil {
		return err
	}
	switch {
	case c.Status == cases.Reported:
		return nil
	case c.Status == cases.Accepted || c.Status == cases.Confirming:
		return s.sayIn(ctx, tx, t, Message{Event: Accept}, system(p).ID)
	case !c.Open:
		return nil
	}
	return s.advanceIn(ctx, tx, t, Message{Event: Review}, system(p).ID)
}

func ms(t time.Time) int64 { return int64(civil.At(t)) }
