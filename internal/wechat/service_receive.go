package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
)

// answerTime is how long an answer may take: WeChat waits five seconds, the way there and back included.
const answerTime = 4 * time.Second

// Verify answers WeChat's question whether the address is ours, when an account is set up.
func (s *Service) Verify(ctx context.Context, city int, name string, q Query) (string, error) {
	a, err := s.account(ctx, city, name)
	if err != nil {
		return "", err
	}
	if err := a.Prove(q, s.now()); err != nil || q.Echo == "" || len(q.Echo) > maxKey {
		s.refuse(ctx, a)
		return "", denied()
	}
	return q.Echo, nil
}

func (s *Service) refuse(ctx context.Context, a *Account) {
	s.o.Log.WarnContext(ctx, "wechat push refused", "city", a.City, "account", a.Name)
}

// Receive takes what WeChat pushes and gives the passive answer. A message that was answered gets the same answer again.
// Fetching pictures, opening cases and whatever else takes long is left to jobs.
func (s *Service) Receive(ctx context.Context, city int, name string, q Query, body []byte) ([]byte, error) {
	a, err := s.account(ctx, city, name)
	if err != nil {
		return nil, err
	}
	in, err := a.Open(q, body, s.now())
	if err != nil {
		s.refuse(ctx, a)
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	said, err := s.answer(ctx, a, q, in)
	if err != nil {
		if fault.Is(err, fault.Denied) {
			s.refuse(ctx, a)
		}
		return nil, err
	}
	return a.Answer(q, in, fit(said), s.now())
}

// scene is a message with who wrote it and where the conversation stands.
type scene struct {
	a     *Account
	in    Inbound
	u     user
	d     dialogue
	n     notes
	open  bool // a question waits for an answer
	early early
	lang  text.Lang
	msg   channel.Message
}

// early is what had to be done outside of the transaction, in transactions of others.
type early struct {
	phone    string   // of whoever has bound one
	answered bool     // an open question of ours was answered with a digit
	asked    error    // what a code was refused with
	entered  *entered // result of a code
}

type entered struct {
	person string
	err    error
}

// proof names the signature of a push, so that it is good for one message.
func proof(a *Account, q Query) string {
	sum := sha256.Sum256([]byte(a.ID + "\x00" + q.Signature + "\x00" + q.Timestamp + "\x00" + q.Nonce + "\x00" + q.MsgSig))
	return hex.EncodeToString(sum[:])
}

func (s *Service) answer(ctx context.Context, a *Account, q Query, in Inbound) (string, error) {
	if old, ok, err := s.answered(ctx, a, in); err != nil || ok {
		return old, err
	}
	e, err := s.before(ctx, a, in)
	if err != nil {
		return "", err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		if old, ok, err := findPush(ctx, tx, a.City, in.Key); err != nil || ok {
			return old.Reply, err
		}
		u, err := s.userIn(ctx, tx, a, in.OpenID)
		if err != nil {
			return "", err
		}
		sc, err := s.look(ctx, tx, a, u, in)
		if err != nil {
			return "", err
		}
		sc.early = e
		if sc.msg, err = s.record(ctx, tx, sc); err != nil {
			return "", err
		}
		said, err := s.react(ctx, tx, &sc)
		if err != nil {
			return "", err
		}
		return said, insertPush(ctx, tx, pushed{
			City: a.City, Key: in.Key, Proof: proof(a, q), User: sc.u.ID, Kind: in.Kind, Reply: said, Received: tx.Now,
		})
	})
}

func (s *Service) answered(ctx context.Context, a *Account, in Inbound) (string, bool, error) {
	type found struct {
		p  pushed
		ok bool
	}
	f, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (found, error) {
		p, ok, err := findPush(ctx, tx, a.City, in.Key)
		return found{p, ok}, err
	})
	return f.p.Reply, f.ok, err
}

// look reads where the conversation stands; a question that waited too long waits no more.
func (s *Service) look(ctx context.Context, tx *db.Tx, a *Account, u user, in Inbound) (scene, error) {
	sc := scene{a: a, in: in, u: u}
	d, ok, err := findDialogue(ctx, tx, a.City, u.ID)
	if err != nil {
		return sc, err
	}
	if ok {
		sc.d = d
		if sc.open = tx.Now.Sub(d.Touched) < dialogueLife; sc.open {
			if err := s.unseal(ctx, tx, u, d.Data, &sc.n); err != nil {
				return sc, err
			}
		}
	}
	sc.lang = langOf("", sc.n.Lang)
	if in.Kind == Text {
		sc.lang = langOf(in.Text, sc.n.Lang)
	}
	return sc, nil
}

// before does what has transactions of its own: an answer to one of our questions, a code asked for, a code tried. Done a
// second time it changes nothing.
func (s *Service) before(ctx context.Context, a *Account, in Inbound) (early, error) {
	if in.Kind != Text && in.Kind != Menu && in.Kind != Location {
		return early{}, nil
	}
	sc, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (scene, error) {
		u, err := s.userIn(ctx, tx, a, in.OpenID)
		if err != nil {
			return scene{}, err
		}
		return s.look(ctx, tx, a, u, in)
	})
	if err != nil {
		return early{}, err
	}
	var e early
	if sc.u.Resident != "" {
		if e.phone, err = s.o.Residents.Phone(ctx, resident.As(a.City, sc.u.Resident, actor.Public), a.City); ours(err) != nil {
			return early{}, err
		}
	}
	switch {
	case in.Kind != Text:
	case sc.open && sc.d.Step == askBindPhone && phoneIn(in.Text) != "":
		_, e.asked = s.o.Residents.RequestCode(ctx, visitor(), resident.Ask{City: a.City, Phone: phoneIn(in.Text), Lang: sc.lang, Address: guest(sc.u)})
		return e, ours(e.asked)
	case sc.open && sc.d.Step == askBindCode && sixDigits.MatchString(in.Text):
		e.entered, err = s.enter(ctx, a, sc)
		return e, err
	case !sc.open && choice.MatchString(in.Text) && e.phone != "":
		e.answered, err = s.o.Notices.Reply(ctx, notice.Incoming{City: a.City, From: e.phone, Text: in.Text})
		return e, ours(err)
	}
	return e, nil
}

// ours passes on what is no word to the resident.
func ours(err error) error {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Exhausted, fault.Denied, fault.NotFound, fault.Conflict:
		return nil
	case fault.Internal, fault.Down:
	}
	return err
}

// guest is the address under which attempts of a user are counted: there is no network address behind WeChat.
func guest(u user) string { return "wechat:" + u.ID }

// enter tries a code and, when it is right, ends the login that it makes: the conversation needs the proof only.
func (s *Service) enter(ctx context.Context, a *Account, sc scene) (*entered, error) {
	code := sixDigits.FindStringSubmatch(sc.in.Text)[1]
	t, err := s.o.Residents.Enter(ctx, visitor(), resident.Entry{City: a.City, Phone: sc.n.Phone, Code: code, Lang: sc.lang, Address: guest(sc.u), Agent: "WeChat"})
	if err != nil {
		return &entered{err: err}, ours(err)
	}
	who, ok, err := s.o.Residents.Authenticate(ctx, a.City, t.Token)
	if err == nil && ok {
		err = s.o.Residents.Leave(ctx, who.Actor, a.City, who.Session)
	}
	return &entered{person: t.Person}, err
}

// record keeps the message with the channel, once.
func (s *Service) record(ctx context.Context, tx *db.Tx, sc scene) (channel.Message, error) {
	in := sc.in
	form := channel.Direct
	switch in.Kind {
	case Text, Image, Voice, Location:
	case Subscribe, Unsubscribe, Menu:
		form = channel.Event
	case Sent, Consents, Other:
		return channel.Message{}, nil
	}
	said := in.Text
	if sc.open && sc.d.Step == askBindCode && sixDigits.MatchString(said) {
		said = "******" // a code is a secret, also when it is used up
	}
	m := channel.Incoming{
		City: sc.a.City, Channel: cases.WeChat, Account: sc.a.Name, ID: in.Key, Form: form, At: tx.Now, SenderID: in.OpenID, Text: said,
		Handle: map[string]string{"app": sc.a.ID}, Extra: map[string]string{"kind": string(in.Kind)},
	}
	switch in.Kind {
	case Image:
		m.Media = []channel.Media{{Kind: "image", Ref: in.Media}}
	case Voice:
		m.Media, m.Text = []channel.Media{{Kind: "voice", Ref: in.Media, Text: in.Text}}, in.Text
	case Location:
		m.Lng, m.Lat, m.Text = &in.Point.Lng, &in.Point.Lat, in.Label
	case Text, Subscribe, Unsubscribe, Menu, Sent, Consents, Other:
	}
	kept, _, err := s.o.Channels.RecordIn(ctx, tx, m)
	return kept, err
}

// written notes that the user wrote, and whether they follow.
func (s *Service) written(ctx context.Context, tx *db.Tx, sc *scene, follows bool) error {
	sc.u.Written, sc.u.Follows = tx.Now, follows
	if err := updateUser(ctx, tx, sc.u); err != nil {
		return err
	}
	sc.u.Version++
	return nil
}

// put keeps the conversation at a step.
func (s *Service) put(ctx context.Context, tx *db.Tx, sc *scene, at step) error {
	sc.n.Lang = sc.lang
	data, err := s.seal(ctx, tx, sc.u, sc.n)
	if err != nil {
		return err
	}
	sc.d.City, sc.d.User, sc.d.Step, sc.d.Data, sc.d.Touched = sc.a.City, sc.u.ID, at, data, tx.Now
	return putDialogue(ctx, tx, sc.d)
}

// end forgets the conversation.
func (s *Service) end(ctx context.Context, tx *db.Tx, sc *scene) error {
	if sc.d.Version == 0 {
		return nil
	}
	return endDialogue(ctx, tx, sc.d)
}

func day(i civil.Instant) string { return i.MonthDayClock() }
