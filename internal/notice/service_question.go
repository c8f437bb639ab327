package notice

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// AskIn sends a question to a resident in the transaction of the act that causes it. The same matter asks once. When so
// many questions are open that no digits are left, the page is the only way to answer, and {d1} … read "-".
func (s *Service) AskIn(ctx context.Context, tx *db.Tx, by actor.Actor, a Asking) (Question, error) {
	if len(a.Answers) < 2 || len(a.Answers) > 9 || a.To == "" {
		return Question{}, fmt.Errorf("question %s: needs two to nine answers and somebody to ask", a.Ref)
	}
	if old, ok, err := byMatter(ctx, tx, a.City, a.Matter); err != nil {
		return Question{}, err
	} else if ok {
		q, _, err := questionOf(ctx, tx, a.City, old.ID)
		return q, err
	}
	p, err := s.person(ctx, tx, a.Message)
	if err != nil {
		return Question{}, err
	}
	open, err := openQuestions(ctx, tx, a.City, p.ID)
	if err != nil {
		return Question{}, err
	}
	first := firstFree(open, len(a.Answers))
	q := Question{
		City: a.City, ID: tx.NewID(), Ref: a.Ref, Person: p.ID, First: first, Answers: a.Answers, Asked: tx.Now, Expires: a.Until,
	}
	if first == 0 {
		q.First = 100 // beyond every digit: answered on the page only
	}
	m := a.Message
	m.Person, m.asks = p.ID, true
	m.Params = s.fill(a, q, first)
	n, err := s.EnqueueIn(ctx, tx, by, m)
	if err != nil {
		return Question{}, err
	}
	q.Notice = n.ID
	return q, insertQuestion(ctx, tx, q)
}

func (s *Service) fill(a Asking, q Question, first int) map[string]any {
	params := map[string]any{}
	maps.Copy(params, a.Params)
	for i := range a.Answers {
		digit := "-"
		if first > 0 {
			digit = fmt.Sprint(first + i)
		}
		params[fmt.Sprintf("d%d", i+1)] = digit
	}
	if s.o.Link != nil {
		params["link"] = s.o.Link(a.City, token(s.o.Ring, a.City, q.ID))
	}
	return params
}

// Asked is a question as the resident's page shows it.
type Asked struct {
	Question
	Text     string            `json:"text"`
	Template string            `json:"template"` // which question it is, and what it is filled with
	Params   map[string]string `json:"params,omitempty"`
}

// Look gives the question of a link; NotFound when the link is not one of ours.
func (s *Service) Look(ctx context.Context, city int, link string) (Asked, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Asked, error) {
		q, err := s.byToken(ctx, tx, city, link)
		if err != nil {
			return Asked{}, err
		}
		n, err := find(ctx, tx, city, q.Notice)
		return Asked{Question: q, Text: n.Text, Template: n.Template, Params: n.Params}, err
	})
}

func (s *Service) byToken(ctx context.Context, tx *db.Tx, city int, link string) (Question, error) {
	none := fault.New(fault.NotFound, "not_found")
	if len(link) <= sealLen {
		return Question{}, none
	}
	body := link[:len(link)-sealLen]
	if !equal(seal(s.o.Ring, city, body), link[len(link)-sealLen:]) {
		return Question{}, none
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || len(raw) != 16 {
		return Question{}, none
	}
	h := hex.EncodeToString(raw)
	return findQuestion(ctx, tx, city, h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:])
}

// AnswerInput is a resident's answer on the page.
type AnswerInput struct {
	City   int    `json:"city" form:"city"`
	Token  string `json:"token" form:"token"`
	Answer string `json:"answer" form:"answer"`
}

// Answer takes a resident's answer from the page. The link is the permission; the first answer holds, and giving the same
// one again changes nothing.
func (s *Service) Answer(ctx context.Context, in AnswerInput) (Question, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Question, error) {
		q, err := s.byToken(ctx, tx, in.City, in.Token)
		if err != nil {
			return q, err
		}
		return s.take(ctx, tx, q, in.Answer, ByLink)
	})
}

func (s *Service) take(ctx context.Context, tx *db.Tx, q Question, answer string, door Door) (Question, error) {
	var c fault.Check
	known := false
	for _, a := range q.Answers {
		known = known || a == answer
	}
	c.That(known, "answer", "notice.no_such_answer")
	if err := c.Err(); err != nil {
		return q, err
	}
	switch {
	case q.Answer == answer:
		return q, nil
	case !q.Answered.IsZero():
		return q, fault.New(fault.Conflict, "notice.answered")
	case !tx.Now.Before(q.Expires):
		return q, fault.New(fault.Conflict, "notice.expired")
	}
	q.Answered, q.Answer, q.Door = tx.Now, answer, door
	if err := answerQuestion(ctx, tx, q); err != nil {
		return q, err
	}
	n, err := find(ctx, tx, q.City, q.Notice)
	if err != nil {
		return q, err
	}
	if n.Subject != "" {
		act := audit.Act{Subject: n.Subject, Act: "notice.answered", Body: map[string]any{"ref": q.Ref, "answer": answer, "by": door}}
		if err := audit.Record(ctx, tx, actor.Anonymous(actor.Public), q.City, act); err != nil {
			return q, err
		}
	}
	if s.OnReply == nil {
		return q, nil
	}
	return q, s.OnReply(ctx, tx, q)
}

// Incoming is a text message from a resident.
type Incoming struct {
	City int    `json:"city"`
	From string `json:"from"`
	Text string `json:"text"`
}

// Reply takes an answer by text message, or the wish to get no more messages. False when no open question of that telephone has such an answer: several
// digits, none, or one that was not asked for are never guessed at.
func (s *Service) Reply(ctx context.Context, in Incoming) (bool, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
		if done, err := s.wished(ctx, tx, in); err != nil || done {
			return done, err
		}
		person, ok, err := secret.FindSubject(ctx, tx, s.o.Ring, in.City, secret.Phone, in.From)
		if err != nil || !ok {
			return false, err
		}
		open, err := openQuestions(ctx, tx, in.City, person)
		if err != nil {
			return false, err
		}
		q, answer, ok := pick(open, in.Text)
		if !ok {
			return false, nil
		}
		_, err = s.take(ctx, tx, q, answer, BySMS)
		return err == nil, err
	})
}

// WithdrawIn ends the questions of a ref that nobody answered: the matter was settled in another way.
func (s *Service) WithdrawIn(ctx context.Context, tx *db.Tx, city int, ref string) error {
	return withdrawQuestions(ctx, tx, city, ref, tx.Now)
}

// Callback takes what the SMS gateway reports to the installation's address: a receipt or a reply. Anything that is not
// signed by the gateway is Denied.
func (s *Service) Callback(ctx context.Context, city int, in Signed) error {
	if s.o.Inbound == nil {
		return fault.New(fault.Denied, "notice.bad_signature")
	}
	if err := s.o.Inbound.Verify(in); err != nil {
		return err
	}
	var body struct {
		Kind string `json:"kind"`
		Receipt
		Incoming
	}
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return fault.Wrap(err, fault.Invalid, "notice.bad_callback")
	}
	switch body.Kind {
	case "receipt":
		return s.Receive(ctx, city, body.Receipt)
	case "reply":
		body.City = city
		_, err := s.Reply(ctx, body.Incoming)
		return err
	}
	return fault.New(fault.Invalid, "notice.bad_callback")
}
