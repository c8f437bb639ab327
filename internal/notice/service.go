package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Options set up a Service. Everything but the database and the keyring may be left out.
type Options struct {
	DB       *db.DB
	Ring     *secret.Ring
	Jobs     *jobs.Runner // sends; nil in a process that has no workers
	Gateways map[Channel]Gateway
	Night    func(ctx context.Context, tx *db.Tx, city int) (Night, error) // from the city's pack
	Link     func(city int, token string) string                           // address of the page on which a question is answered
	Inbound  *Signer                                                       // checks what the SMS gateway reports back
	Sign     string                                                        // signature line that the gateway puts before every text message
	Price    map[Channel]string                                            // yuan for a part of a message, an exact decimal; absent = unknown

	// Reach lists how a person can be told of a matter, the best way first. Nil leaves it at the telephone.
	Reach func(ctx context.Context, tx *db.Tx, city int, person, template string) ([]Address, error)
}

// Service offers the use cases.
type Service struct {
	o      Options
	played []Channel

	// OnReply is told of a resident's answer in its transaction. Nil is nobody.
	OnReply func(ctx context.Context, tx *db.Tx, q Question) error
}

// New makes the service and, where there is a runner, registers its job.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil {
		return nil, errors.New("notice: a database and a keyring are needed")
	}
	s := &Service{o: o}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.send)
	}
	return s, nil
}

// sending is the job that hands a message to its gateway.
type sending struct {
	Notice string `json:"notice"`
}

func (sending) Kind() string { return "notice.send" }

// EnqueueIn writes a message down and queues its sending, in the transaction of the act that causes it; whoever calls it
// has asked for the permission of that act. A matter that was told before gives the message of then.
func (s *Service) EnqueueIn(ctx context.Context, tx *db.Tx, by actor.Actor, m Message) (Notice, error) {
	if old, ok, err := byMatter(ctx, tx, m.City, m.Matter); err != nil || ok {
		return old, err
	}
	n, err := s.compose(ctx, tx, m)
	if err != nil {
		return Notice{}, err
	}
	if err := insert(ctx, tx, n); err != nil {
		return Notice{}, err
	}
	if n.State == Queued {
		if err := jobs.Add(ctx, tx, n.City, sending{n.ID}, jobs.When{At: n.SendAt}); err != nil {
			return Notice{}, err
		}
	}
	if n.Subject == "" {
		return n, nil
	}
	return n, audit.Record(ctx, tx, by, n.City, audit.Act{Subject: n.Subject, Act: "notice." + string(n.State), Body: n.facts()})
}

// facts are what the audit keeps of a message.
func (n Notice) facts() map[string]any {
	return map[string]any{"notice": n.ID, "template": n.Template, "channel": n.Channel, "to": audit.Fingerprint(n.Subject, n.Recipient)}
}

func (s *Service) compose(ctx context.Context, tx *db.Tx, m Message) (Notice, error) {
	if m.Matter == "" || !text.Has(m.Template) || m.To == "" && m.Role == "" {
		return Notice{}, fmt.Errorf("notice %q of matter %q: needs a matter, a text of the catalogue and somebody to tell", m.Template, m.Matter)
	}
	if len(m.Private) > 0 && m.To == "" {
		return Notice{}, fmt.Errorf("notice of matter %q: private parameters need a recipient", m.Matter)
	}
	if m.Lang == "" {
		m.Lang = text.ZH
	}
	if m.Class == "" {
		m.Class = Own
	}
	params := shown(m)
	n := Notice{
		City: m.City, ID: tx.NewID(), Channel: m.Channel, Org: m.Org, Role: m.Role, Template: m.Template, Class: m.Class,
		Params: spell(m.Lang, params), Text: text.Say(m.Lang, m.Template, params), Lang: m.Lang, Subject: m.Subject,
		Matter: m.Matter, QuietExempt: m.QuietExempt, State: Queued, Created: tx.Now, SendAt: tx.Now, Until: m.Until, Version: 1,
	}
	if m.To != "" {
		if err := s.address(ctx, tx, &m, &n); err != nil || n.State == Failed {
			return n, err
		}
	}
	if !m.asks {
		if refused, err := s.unwanted(ctx, tx, n); err != nil || refused {
			n.State, n.Reason, n.Private = Dropped, "notice.reason.unwanted", ""
			return n, err
		}
	}
	if n.Reason = s.cannot(m); n.Reason != "" {
		if n.State = Held; n.Private != "" {
			n.State, n.Private = Failed, ""
		}
		return n, nil
	}
	if m.Channel == Console {
		n.State, n.SentAt = Sent, tx.Now
		return n, nil
	}
	wake, err := s.wake(ctx, tx, n)
	if err == nil && !wake.IsZero() {
		n.SendAt = wake
	}
	return n, err
}

// address finds the person, the way that reaches them best, and the city's own words for them.
func (s *Service) address(ctx context.Context, tx *db.Tx, m *Message, n *Notice) error {
	p, err := s.person(ctx, tx, *m)
	if err != nil {
		return err
	}
	if n.Person = p.ID; p.Erased {
		n.State, n.Reason = Failed, "notice.reason.erased"
		return nil
	}
	if s.o.Reach != nil && m.Channel == SMS && m.Other == nil && len(m.Private) == 0 {
		ways, err := s.o.Reach(ctx, tx, m.City, p.ID, m.Template)
		if err != nil {
			return fmt.Errorf("how to reach a person: %w", err)
		}
		if len(ways) > 0 && s.o.Gateways[ways[0].Channel] != nil {
			m.Other = &Address{SMS, m.To}
			m.Channel, m.To = ways[0].Channel, ways[0].To
		}
	}
	n.Channel, n.Recipient = m.Channel, p.Seal("notice", m.To)
	if m.Other != nil {
		n.OtherWay, n.OtherTo = m.Other.Channel, p.Seal("notice", m.Other.To)
	}
	if n.Private, err = sealPrivate(p, m.Private); err != nil {
		return err
	}
	own, ok, err := approvedTemplate(ctx, tx, m.City, m.Template, m.Lang)
	if ok {
		n.Text = text.Fill(m.Lang, own.Text, shown(*m))
	}
	return err
}

// cannot says why no gateway can take a message; staff tell it then.
func (s *Service) cannot(m Message) string {
	switch {
	case m.Channel == Console:
		return ""
	case m.Channel == SMS && !secret.IsMobile(secret.NormalPhone(m.To)):
		return "notice.reason.not_mobile"
	case s.o.Gateways[m.Channel] == nil:
		return "notice.reason.no_gateway"
	}
	return ""
}

func (s *Service) person(ctx context.Context, tx *db.Tx, m Message) (secret.Person, error) {
	if m.Person != "" {
		return secret.OpenSubject(ctx, tx, s.o.Ring, m.City, m.Person)
	}
	identity := ""
	if m.Channel == SMS || m.Channel == Console {
		identity = m.To
	}
	return secret.Subject(ctx, tx, s.o.Ring, m.City, secret.Phone, identity)
}

// Of lists the messages of a subject, oldest first, for its own page, which has asked for the permission.
func (s *Service) Of(ctx context.Context, tx *db.Tx, city int, subject string) ([]View, error) {
	rows, err := listOf(ctx, tx, city, subject)
	if err != nil {
		return nil, err
	}
	return s.mask(ctx, tx, city, rows)
}

// Inbox lists what staff were told in the roles that they hold, newest first.
func (s *Service) Inbox(ctx context.Context, by actor.Actor, city int, r page.Request) (page.Of[Notice], error) {
	var roles []string
	for _, g := range by.Grants {
		if g.City == 0 || g.City == city {
			roles = append(roles, string(g.Role))
		}
	}
	if by.Kind != actor.Person || len(roles) == 0 {
		return page.Of[Notice]{}, fault.New(fault.Denied, "denied.scope")
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Notice], error) {
		rows, err := inbox(ctx, tx, city, by.Org, roles, r)
		if err != nil {
			return page.Of[Notice]{}, err
		}
		return page.Cut(rows, r, func(n Notice) []any { return []any{n.ID} }), nil
	})
}

func (s *Service) mask(ctx context.Context, tx *db.Tx, city int, rows []Notice) ([]View, error) {
	ids := make([]string, 0, len(rows))
	for _, n := range rows {
		ids = append(ids, n.Person)
	}
	persons, err := secret.OpenSubjects(ctx, tx, s.o.Ring, city, ids)
	if err != nil {
		return nil, fmt.Errorf("open recipients: %w", err)
	}
	out := make([]View, len(rows))
	for i, n := range rows {
		out[i].Notice = n
		p, ok := persons[n.Person]
		if !ok || p.Erased || n.Recipient == "" {
			continue
		}
		to, err := p.Open("notice", n.Recipient)
		if err != nil {
			return nil, fmt.Errorf("open recipient of notice %s: %w", n.ID, err)
		}
		out[i].To = maskTo(n.Channel, to)
	}
	return out, nil
}

// RecallIn drops the messages to many that still wait to be sent, of the matters that begin with a prefix: what they say no
// longer holds. Whoever calls it has asked for the permission to take it back.
func (s *Service) RecallIn(ctx context.Context, tx *db.Tx, city int, prefix string) error {
	return recall(ctx, tx, city, prefix, "notice.reason.withdrawn")
}

// CanSend reports whether a gateway of a channel is set up: a message that staff must not tell has no other way.
func (s *Service) CanSend(c Channel) bool { return s.o.Gateways[c] != nil }

// sealPrivate hides the private parameters of a message from everybody but its recipient.
func sealPrivate(p secret.Person, private map[string]string) (string, error) {
	if len(private) == 0 {
		return "", nil
	}
	b, err := json.Marshal(private)
	if err != nil {
		return "", fmt.Errorf("seal private parameters: %w", err)
	}
	return p.Seal("notice.private", string(b)), nil
}

// outgoing is what the gateway is given: the message with its private parameters, in the city's own words where it has some.
func (n Notice) outgoing(p secret.Person, own Template) (*Outgoing, error) {
	to, err := p.Open("notice", n.Recipient)
	if err != nil {
		return nil, fmt.Errorf("open recipient of notice %s: %w", n.ID, err)
	}
	out := &Outgoing{Key: n.key(), To: to, Text: n.Text, Template: n.Template, Code: own.Code, Params: n.Params, Lang: n.Lang, Again: n.Attempts > 0, May: !n.QuietExempt}
	if n.Private == "" {
		return out, nil
	}
	sealed, err := p.Open("notice.private", n.Private)
	if err != nil {
		return nil, fmt.Errorf("open private parameters of notice %s: %w", n.ID, err)
	}
	out.Params = maps.Clone(n.Params)
	if err := json.Unmarshal([]byte(sealed), &out.Params); err != nil {
		return nil, fmt.Errorf("read private parameters of notice %s: %w", n.ID, err)
	}
	said := make(map[string]any, len(out.Params))
	for k, v := range out.Params {
		said[k] = v
	}
	if out.Text = text.Say(n.Lang, n.Template, said); own.Text != "" {
		out.Text = text.Fill(n.Lang, own.Text, said)
	}
	return out, nil
}

func maskTo(c Channel, to string) string {
	if c == SMS || c == Console {
		return secret.MaskPhone(to)
	}
	r := []rune(to)
	return string(r[:min(1, len(r))]) + "****"
}
