package wechat

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Me is who uses the mini program.
type Me struct {
	Phone string            `json:"phone"` // masked
	Homes []Home            `json:"homes"`
	Open  int               `json:"open"`      // cases that are not over
	Asked map[string]string `json:"templates"` // what leave is asked for, by occasion
}

// Home is a household that a resident bound.
type Home struct {
	Account string `json:"account"`
	Address string `json:"address"`
}

// Own is a case as its resident sees it in the mini program.
type Own struct {
	No         string        `json:"no"`
	Token      string        `json:"token,omitempty"` // none where the reader may only look
	Status     cases.Status  `json:"status"`
	Standing   string        `json:"standing"` // the status in fewer words, in the reader's language
	Open       bool          `json:"open"`
	ReceivedAt civil.Instant `json:"received_at"`
	Company    string        `json:"company,omitempty"`
	DueAt      civil.Instant `json:"due_at,omitzero"`
	Now        civil.Instant `json:"now"` // the city's clock
	Answer     string        `json:"answer,omitempty"`
	MayReopen  bool          `json:"may_reopen"`
	MayRate    bool          `json:"may_rate"`
	Steps      []OwnStep     `json:"steps"`
}

// OwnStep is one thing that happened, in words.
type OwnStep struct {
	At    civil.Instant `json:"at"`
	Words string        `json:"words"`
}

// Reporting is a report from the mini program.
type Reporting struct {
	City    int       `json:"-"`
	Text    string    `json:"text"`
	Address string    `json:"address"`
	Account string    `json:"account"` // of a bound home
	Phone   string    `json:"phone"`   // another than the bound one
	Since   string    `json:"since"`
	Test    string    `json:"test_request"`
	Lang    text.Lang `json:"-"`
	Key     string    `json:"-"`
}

// Reported is what became of a report.
type Reported struct {
	No       string `json:"no"`
	Token    string `json:"token"`
	Company  string `json:"company,omitempty"`
	Reminder bool   `json:"reminder,omitempty"` // the case of this home is still open and was urged instead
}

// OwnWord is what a resident adds to a case of theirs.
type OwnWord struct {
	City   int           `json:"-"`
	Token  string        `json:"-"`
	Text   string        `json:"text"`
	Photos []blob.Stored `json:"-"`
	Lang   text.Lang     `json:"-"`
	Key    string        `json:"-"`
}

// Rating is a resident's word on what was done.
type Rating struct {
	City      int       `json:"-"`
	Token     string    `json:"-"`
	Solved    string    `json:"solved"`    // yes, no
	Satisfied string    `json:"satisfied"` // yes, no; empty: not said
	Lang      text.Lang `json:"-"`
	Key       string    `json:"-"`
}

// self is the resident who acts.
func self(by actor.Actor) (string, error) {
	if person, ok := resident.PersonOf(by); ok {
		return person, nil
	}
	return "", fault.New(fault.Denied, "resident.enter_first")
}

// Me shows who uses the mini program.
func (s *Service) Me(ctx context.Context, by actor.Actor, city int) (Me, error) {
	own, err := s.mine(ctx, by, city)
	if err != nil {
		return Me{}, err
	}
	phone, err := s.o.Residents.Phone(ctx, by, city)
	if err != nil {
		return Me{}, err
	}
	homes, err := s.o.Residents.Homes(ctx, by, city)
	if err != nil {
		return Me{}, err
	}
	me := Me{Phone: secret.MaskPhone(phone), Homes: []Home{}, Asked: map[string]string{}}
	for _, h := range homes {
		if h.State == resident.Held {
			me.Homes = append(me.Homes, Home{Account: h.Account, Address: h.Address()})
		}
	}
	for _, c := range own {
		if c.Open {
			me.Open++
		}
	}
	asked, err := s.Asked(ctx, city)
	if err == nil {
		me.Asked = asked
	}
	return me, ours(err)
}

// mine are the cases that the resident reported and those of their homes. Whoever may only look at a home gets no receipt of
// what others reported about it: the receipt is what lets them act.
func (s *Service) mine(ctx context.Context, by actor.Actor, city int) ([]cases.Mine, error) {
	person, err := self(by)
	if err != nil {
		return nil, err
	}
	homes, err := s.o.Residents.Homes(ctx, by, city)
	if err != nil {
		return nil, err
	}
	var accounts []string
	acts := map[string]bool{}
	for _, h := range homes {
		if h.State == resident.Held && h.Account != "" {
			accounts = append(accounts, h.Account)
			acts[h.Account] = h.Scope == resident.MayAct
		}
	}
	all, err := s.o.Cases.MineOf(ctx, city, person, accounts)
	for i, c := range all {
		if !c.Caller && !acts[c.Account] {
			all[i].Token = ""
		}
	}
	return all, err
}

// Mine lists a resident's cases, newest first.
func (s *Service) Mine(ctx context.Context, by actor.Actor, city int, l text.Lang) ([]Own, error) {
	all, err := s.mine(ctx, by, city)
	if err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Own, error) {
		out := make([]Own, 0, len(all))
		for _, c := range all {
			out = append(out, s.own(ctx, tx, city, c.Progress, l))
		}
		return out, nil
	})
}

// own says a case in the words of its resident.
func (s *Service) own(ctx context.Context, tx *db.Tx, city int, p cases.Progress, l text.Lang) Own {
	o := Own{
		No: p.No, Token: p.Token, Status: p.Status, Standing: standing(p.Status, l), Open: p.Open, ReceivedAt: p.ReceivedAt, Now: tx.Now,
		Answer: p.Answer, MayReopen: p.MayReopen, MayRate: p.Status == cases.Verified, Steps: []OwnStep{},
	}
	if p.Company != "" {
		o.Company = s.o.Company(ctx, tx, city, p.Company, l)
	}
	for _, c := range p.Promises {
		if c.State == clock.Running && !c.Due.IsZero() && (o.DueAt.IsZero() || c.Due.Before(o.DueAt)) {
			o.DueAt = c.Due
		}
	}
	for _, step := range p.Steps {
		if key := "step." + step.Act; text.Has(key) {
			o.Steps = append(o.Steps, OwnStep{At: step.At, Words: text.T(l, key)})
		}
	}
	return o
}

// standing says where a case is in fewer words than staff have.
func standing(st cases.Status, l text.Lang) string {
	switch st {
	case cases.Reported, cases.Accepted, cases.Confirming, cases.Filed, cases.Returned:
		return text.T(l, "citizen.standing.centre")
	case cases.Dispatched, cases.Signed, cases.Handling:
		return text.T(l, "citizen.standing.company")
	case cases.FedBack, cases.Verified, cases.ToClose:
		return text.T(l, "citizen.standing.checking")
	case cases.Rework, cases.Postponed, cases.Parked, cases.Closed, cases.Archived, cases.Answered, cases.Rejected, cases.Withdrawn, cases.Terminated, cases.Void:
	}
	return text.T(l, "status."+string(st))
}

// Look shows one case of a resident. The token of its receipt is the proof.
func (s *Service) Look(ctx context.Context, by actor.Actor, city int, token string, l text.Lang) (Own, error) {
	if _, err := self(by); err != nil {
		return Own{}, err
	}
	p, err := s.o.Cases.Progress(ctx, city, cases.Proof{Token: token})
	if err != nil {
		return Own{}, err
	}
	return s.say(ctx, city, p, l)
}

func (s *Service) say(ctx context.Context, city int, p cases.Progress, l text.Lang) (Own, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Own, error) { return s.own(ctx, tx, city, p, l), nil })
}

// Report opens a case for a resident of the mini program, under their own telephone unless they name another.
func (s *Service) Report(ctx context.Context, by actor.Actor, in Reporting) (Reported, error) {
	if _, err := self(by); err != nil {
		return Reported{}, err
	}
	phone, err := s.o.Residents.Phone(ctx, by, in.City)
	if err != nil {
		return Reported{}, err
	}
	if in.Phone == "" {
		in.Phone = phone
	}
	if in.Account != "" {
		if _, err := s.o.Residents.May(ctx, by, in.City, in.Account, resident.MayAct); err != nil {
			return Reported{}, err
		}
	}
	o := cases.Opening{
		City: in.City, Door: citypack.DoorWeb, Channel: cases.WeChat, Text: in.Text, Caller: cases.Party{Phone: in.Phone}, Address: in.Address,
		Account: in.Account, Details: cases.Details{Since: in.Since}, TestRequest: in.Test, Key: in.Key,
	}
	opened, err := s.o.Cases.Open(ctx, visitorOf(by), o)
	if err != nil {
		return Reported{}, err
	}
	c := opened.Case
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Reported, error) {
		r := Reported{No: c.No, Token: c.Token, Reminder: opened.Reminder}
		if c.Company != "" {
			r.Company = s.o.Company(ctx, tx, in.City, c.Company, in.Lang)
		}
		return r, nil
	})
}

// visitorOf is a resident who reports: with a name of their own, so that two of them may use the same idempotency key.
func visitorOf(by actor.Actor) actor.Actor {
	v := visitor()
	v.ID, v.Door = by.ID, by.Door
	return v
}

// Remind counts a resident's reminder, with a word or photographs.
func (s *Service) Remind(ctx context.Context, by actor.Actor, in OwnWord) (Own, error) {
	return s.word(ctx, by, in, s.o.Cases.RemindOwn)
}

// Reopen is the resident's "still cold".
func (s *Service) Reopen(ctx context.Context, by actor.Actor, in OwnWord) (Own, error) {
	return s.word(ctx, by, in, s.o.Cases.ReopenOwn)
}

func (s *Service) word(ctx context.Context, by actor.Actor, in OwnWord, do func(context.Context, actor.Actor, cases.Word) (cases.Progress, error)) (Own, error) {
	if _, err := self(by); err != nil {
		return Own{}, err
	}
	p, err := do(ctx, visitorOf(by), cases.Word{City: in.City, Text: in.Text, Key: in.Key, Proof: cases.Proof{Token: in.Token}, Photos: in.Photos})
	if err != nil {
		return Own{}, err
	}
	return s.say(ctx, in.City, p, in.Lang)
}

// owner is the caller of a case, acting for themselves; whoever only has the link may look, not act.
func (s *Service) owner(ctx context.Context, by actor.Actor, city int, token string) (cases.Case, actor.Actor, error) {
	person, err := self(by)
	if err != nil {
		return cases.Case{}, by, err
	}
	c, err := s.o.Cases.ByToken(ctx, city, token)
	if err != nil {
		return c, by, err
	}
	if c.CallerID != person && c.ContactID != person {
		return c, by, fault.New(fault.NotFound, "not_found")
	}
	return c, actor.Actor{ID: by.ID, Kind: actor.Resident, Door: by.Door, Grants: []actor.Grant{{Role: actor.RoleSystem, City: city}}}, nil
}

// MayAttach asks whether a case is the resident's own, before anything of theirs is kept.
func (s *Service) MayAttach(ctx context.Context, by actor.Actor, city int, token string) error {
	_, _, err := s.owner(ctx, by, city, token)
	return err
}

// Attach adds photographs to a resident's case.
func (s *Service) Attach(ctx context.Context, by actor.Actor, in OwnWord) (Own, error) {
	c, as, err := s.owner(ctx, by, in.City, in.Token)
	if err != nil {
		return Own{}, err
	}
	if _, err := s.o.Cases.Attach(ctx, as, cases.Attaching{Act: cases.Act{City: in.City, ID: c.ID}, Photos: in.Photos}); err != nil {
		return Own{}, err
	}
	return s.Look(ctx, by, in.City, in.Token, in.Lang)
}

// Rate takes a resident's word on whether it is warm now: while they are asked, or once more after the closing.
func (s *Service) Rate(ctx context.Context, by actor.Actor, in Rating) (Own, error) {
	c, as, err := s.owner(ctx, by, in.City, in.Token)
	if err != nil {
		return Own{}, err
	}
	switch {
	case c.Status == cases.Verified:
		_, err = s.o.Cases.CallBack(ctx, as, cases.Call{
			Act: cases.Act{City: in.City, ID: c.ID, Version: c.Version, Key: in.Key}, Reached: true, Solved: in.Solved, Satisfied: in.Satisfied, Channel: "message",
		})
	case in.Solved == "no" && !c.Open:
		_, err = s.o.Cases.ReopenOwn(ctx, visitorOf(by), cases.Word{City: in.City, Key: in.Key, Proof: cases.Proof{Token: in.Token}})
	default:
		err = fault.New(fault.Conflict, "wechat.not_to_rate")
	}
	if err != nil {
		return Own{}, err
	}
	return s.Look(ctx, by, in.City, in.Token, in.Lang)
}
