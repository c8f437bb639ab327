package cases

import (
	"cmp"
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// taken refuses a letter or an instruction that is recorded already, and says as which case.
func (s *Service) taken(ctx context.Context, tx *db.Tx, by actor.Actor, in Opening, received civil.Instant) error {
	key := in.Origin.numberKey(channel(in), received)
	if key == "" {
		return nil
	}
	c, known, err := findNumber(ctx, tx, in.City, key)
	if err != nil || !known {
		return err
	}
	return numberTaken(by, in.Origin.No, c)
}

func numberTaken(by actor.Actor, no string, c Case) error {
	if by.May(actor.CaseRead, c.On()) != nil {
		return fault.New(fault.Conflict, "case.origin.number_taken_hidden", "no", no)
	}
	return fault.New(fault.Conflict, "case.origin.number_taken", "no", no, "case", c.No, "id", c.ID)
}

// prepare writes into a new case what its list, its search and its end depend on.
func (o Opening) prepare(c *Case) {
	c.DocNo, c.DocDue = o.Origin.No, o.Origin.Due
	c.ReportDue = c.Channel == Leader && o.Origin != (Origin{})
}

// keepOrigin writes what stands behind a new case, and lets the deadline that it sets run beside the case's own clocks.
func (s *Service) keepOrigin(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, in Opening, c *Case) error {
	g := in.Origin
	if g == (Origin{}) {
		return nil
	}
	row := Recorded{
		City: c.City, Case: c.ID, Channel: c.Channel, No: g.No, Key: g.numberKey(c.Channel, c.ReceivedAt), Dated: g.Dated, From: g.From, Office: g.Office,
		Text: secret.MaskText(g.Text), Due: g.Due, Link: g.Link, Answerer: g.Answerer, Brought: g.Brought,
	}
	if g.Contact != (Party{}) {
		p, err := secret.Subject(ctx, tx, s.o.Ring, c.City, secret.Phone, g.Contact.Phone)
		if err != nil {
			return err
		}
		row.ContactID, row.ContactName, row.ContactPhone = p.ID, secret.MaskName(g.Contact.Name), secret.MaskPhone(g.Contact.Phone)
		if row.ContactSealed, err = sealParty(p, "case.origin", g.Contact); err != nil {
			return err
		}
	}
	kept, err := insertOrigin(ctx, tx, row)
	if err != nil {
		return err
	}
	if !kept { // somebody recorded the same paper a moment before
		first, known, err := findNumber(ctx, tx, c.City, row.Key)
		if err != nil {
			return err
		}
		if !known {
			return fault.New(fault.Conflict, "case.origin.number_taken_hidden", "no", g.No)
		}
		return numberTaken(by, g.No, first)
	}
	return s.owe(ctx, tx, r, row, c)
}

// owe starts the clock of the deadline that a paper sets. The case is not written.
func (s *Service) owe(ctx context.Context, tx *db.Tx, r *citypack.Rules, row Recorded, c *Case) error {
	if row.Due.IsZero() || !c.Open {
		return nil
	}
	term := clock.Term{
		Code: replyClock(c.Channel), Party: citypack.PartyCentre, From: c.ReceivedAt, Due: row.Due,
		Why: text.Msg("case.origin.clock", "from", row.From, "no", row.No, "due", row.Due.Minute()),
	}
	if err := s.o.Clocks.Owe(ctx, tx, r, clockSubject(*c, r.Pack), term); err != nil {
		return err
	}
	return s.Due(ctx, tx, c)
}

// SendReply keeps that something went back: the report on an instruction to the office that sent it (报结), the answer to
// a letter, or to the press. The clock of the deadline ends with the first.
func (s *Service) SendReply(ctx context.Context, by actor.Actor, in Replying) (Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) { return s.sendReply(ctx, tx, by, in) })
	})
}

func (s *Service) sendReply(ctx context.Context, tx *db.Tx, by actor.Actor, in Replying) (Case, error) {
	c, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return Case{}, err
	}
	if err := may(by, actor.CaseAccept, c); err != nil {
		return Case{}, err
	}
	kind := c.ReplyKind()
	if kind == "" {
		return Case{}, fault.New(fault.Conflict, "case.origin.no_reply", "channel", text.Msg("channel."+string(c.Channel)))
	}
	if in.Version != 0 && in.Version != c.Version {
		return Case{}, fault.New(fault.Conflict, "conflict.version")
	}
	if err := in.check(c, tx.Now); err != nil {
		return Case{}, err
	}
	of, _, err := originOfCase(ctx, tx, c.City, c.ID)
	if err != nil {
		return Case{}, err
	}
	to := in.To
	if kind == LetterReply && of.From == "" {
		to = secret.MaskName(to) // a person's
	}
	sent := Reply{
		City: c.City, ID: tx.NewID(), Case: c.ID, Kind: kind, No: in.No, To: cmp.Or(to, of.Office, of.From, c.CallerName), Signer: in.Signer,
		Way: in.Way, Text: secret.MaskText(in.Text), SentAt: cmp.Or(in.SentAt, tx.Now), KeptAt: tx.Now, By: by.ID,
	}
	if err := db.Insert(ctx, tx, "case_reply", &sent); err != nil {
		return Case{}, err
	}
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil {
		return Case{}, err
	}
	act := audit.Act{Act: "case.reply_" + string(kind), Public: kind == LetterReply, Body: map[string]any{"no": sent.No, "to": sent.To, "way": sent.Way, "sent_at": sent.SentAt}}
	return s.EditIn(ctx, tx, by, c.City, c.ID, act, func(c *Case) error {
		c.ReportDue = false
		if err := s.o.Clocks.Met(ctx, tx, clockSubject(*c, r.Pack), replyClock(c.Channel), sent.SentAt); err != nil {
			return err
		}
		if !c.Open {
			return nil
		}
		return s.Due(ctx, tx, c)
	})
}

// ends refuses every way out of a case about which a leader still waits for a report. A record that should not exist is
// the exception, and gives its number back. A case that is taken up again is reported anew.
func (s *Service) ends(ctx context.Context, tx *db.Tx, was Case, c *Case) error {
	switch {
	case was.Status == c.Status:
		return nil
	case c.Status == Void:
		c.ReportDue = false
		return freeNumber(ctx, tx, *c)
	case was.Open && !c.Open && c.ReportDue:
		of, _, err := originOfCase(ctx, tx, c.City, c.ID)
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "case.origin.report_first", "no", of.No, "from", of.From, "office", of.Office)
	case !was.Open && c.Open && c.Channel == Leader:
		_, has, err := originOfCase(ctx, tx, c.City, c.ID)
		c.ReportDue = has
		return err
	}
	return nil
}

// viewOrigin adds what stands behind the case, and what went back, to what a case shows.
func (s *Service) viewOrigin(ctx context.Context, tx *db.Tx, by actor.Actor, v *View) error {
	of, has, err := originOfCase(ctx, tx, v.Case.City, v.Case.ID)
	if err != nil || !has {
		return err
	}
	if !seesPress(by, v.Case) {
		of.ContactName, of.ContactPhone = "", ""
	}
	v.Origin = &of
	v.Replies, err = replies(ctx, tx, v.Case.City, v.Case.ID)
	return err
}

// seesPress reports whether somebody is of the centre: the press is none of the company's business.
func seesPress(by actor.Actor, c Case) bool {
	return by.May(actor.CaseAccept, c.On()) == nil || by.May(actor.CaseClose, c.On()) == nil || by.Kind == actor.System
}

// unsealPress opens who asks for the press, for whoever may see it.
func (s *Service) unsealPress(ctx context.Context, tx *db.Tx, by actor.Actor, c Case, out *Revealed) error {
	if c.Channel != Media || !seesPress(by, c) {
		return nil
	}
	of, has, err := originOfCase(ctx, tx, c.City, c.ID)
	if err != nil || !has || of.ContactSealed == "" {
		return err
	}
	people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, c.City, []string{of.ContactID})
	if err != nil {
		return err
	}
	return openParty(people[of.ContactID], "case.origin", of.ContactSealed, &out.Press)
}
