package mail

import (
	"bytes"
	"context"
	"maps"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// filesOf is what the attachments of a letter belong to until it is on a case.
func filesOf(key string) string { return "letter:" + key }

// purpose is what attachments of letters are kept as: photographs and documents, by what they are and not by their names.
const purpose = "evidence"

// incoming makes of a letter what the channel keeps. Its attachments are stored first, so that nothing names what is not
// there; those that are neither photograph nor document are left in the mailbox and said to be.
func (s *Service) incoming(ctx context.Context, a channel.Access, f found) (channel.Incoming, error) {
	how := Reading{Server: a.Credential[credServer], Cut: f.cut}
	for _, own := range []string{a.Credential[credFrom], a.Credential[credUser]} {
		if own = NormalAddress(own); own != "" {
			how.Own = append(how.Own, own)
		}
	}
	l := Read(f.bytes, how)
	in := channel.Incoming{
		City: a.City, Channel: cases.Mail, Account: a.Name, ID: l.Key, Form: channel.Letter, At: civil.At(f.at), SenderID: l.From, SenderName: l.Name,
		Text: l.Text, Raw: f.bytes, Handle: map[string]string{handleID: l.ID, handleRefs: strings.Join(l.Refs, " "), handleSubject: l.Subject},
		Extra: map[string]string{},
	}
	if in.Text == "" {
		in.Text = l.Subject
	}
	if in.Text == "" {
		in.Text = text.T(text.ZH, "mail.empty")
	}
	if l.Subject != "" {
		in.Extra[clue.ExtraTitle] = secret.MaskText(l.Subject)
	}
	if l.Machine != Person {
		in.Extra[ExtraMachine] = string(l.Machine)
	}
	if l.Failed.ID != "" {
		in.Extra[ExtraFailed], in.Extra[ExtraAction], in.Extra[ExtraStatus] = l.Failed.ID, l.Failed.Action, l.Failed.Status
	}
	if !l.Trusted {
		in.Extra[ExtraForged] = "1"
	}
	if l.Machine == Person {
		kept, odd, err := s.keepFiles(ctx, a.City, l)
		if err != nil {
			return in, err
		}
		in.Media, l.Odd = kept, append(l.Odd, odd...)
	}
	if len(l.Odd) > 0 {
		in.Extra[ExtraOdd] = strings.Join(l.Odd, " ")
	}
	return in, nil
}

// keepFiles stores the attachments of a letter once, however often it is read.
func (s *Service) keepFiles(ctx context.Context, city int, l Letter) (kept []channel.Media, odd []string, err error) {
	if len(l.Files) == 0 {
		return nil, nil, nil
	}
	subject := filesOf(l.Key)
	there, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]blob.Blob, error) { return blob.Of(ctx, tx, city, subject) })
	if err != nil {
		return nil, nil, err
	}
	for _, f := range l.Files {
		stored, err := s.o.Blobs.Keep(ctx, blob.Upload{City: city, Subject: subject, Purpose: purpose, Name: f.Name, Reader: bytes.NewReader(f.Bytes)})
		switch {
		case fault.Is(err, fault.Invalid):
			odd = []string{"mail.odd.file"} // a program, a song, a picture that is none
			continue
		case err != nil:
			return nil, nil, err
		}
		b, err := s.rowOf(ctx, stored, there)
		if err != nil {
			return nil, nil, err
		}
		there = append(there, b)
		kind := "file"
		if strings.HasPrefix(b.MediaType, "image/") {
			kind = "image"
		}
		kept = append(kept, channel.Media{Kind: kind, Ref: b.Name, Blob: b.ID})
	}
	return kept, odd, nil
}

func (s *Service) rowOf(ctx context.Context, stored blob.Stored, there []blob.Blob) (blob.Blob, error) {
	for _, b := range there {
		if b.SHA256 == stored.SHA256() {
			return b, nil
		}
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (blob.Blob, error) { return s.o.Blobs.SaveIn(ctx, tx, machine, stored) })
}

// Take is the channel's Taker: an answer of ours that came back is noted where it was sent from, a wish to get no more
// letters is kept, a word on a case goes to it, and every other letter of a person is a clue. What machines write is kept
// and answered by nobody.
func (s *Service) Take(ctx context.Context, tx *db.Tx, m channel.Heard) error {
	switch Machine(m.Extra[ExtraMachine]) {
	case Bounce:
		return s.cameBack(ctx, tx, m)
	case AutoReply, Bulk, Ourselves:
		return nil
	case Person:
	}
	c, ok, err := s.caseOf(ctx, tx, m)
	if err != nil {
		return err
	}
	if done, err := s.wished(ctx, tx, m); err != nil || done {
		return err
	}
	if !ok {
		return s.o.Clues.Take(ctx, tx, m)
	}
	if err := s.word(ctx, tx, m, c); err != nil || c.Open {
		return err
	}
	return s.o.Clues.Take(ctx, tx, m) // whoever wants a closed case open again asks a person
}

// cameBack notes what a post office says about a letter of ours. A receipt for a letter that is not ours is kept and
// changes nothing.
func (s *Service) cameBack(ctx context.Context, tx *db.Tx, m channel.Heard) error {
	o, ok := ownID(m.Extra[ExtraFailed])
	action := m.Extra[ExtraAction]
	arrived := action == "delivered"
	if !ok || o.city != m.City || action != "failed" && !arrived {
		return nil
	}
	var err error
	switch {
	case o.kind == ofNotice:
		err = s.o.Notices.ReceiveIn(ctx, tx, m.City, notice.Receipt{Key: o.key, Delivered: arrived})
	case !arrived:
		err = s.o.Channels.BounceIn(ctx, tx, m.City, o.id)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// caseOf finds the case that a letter is a word on: one that answers a letter of ours, or names a case, and comes from the
// address that we know for it. Anything else is anybody's.
func (s *Service) caseOf(ctx context.Context, tx *db.Tx, m channel.Heard) (cases.Case, bool, error) {
	if m.SenderID == "" || m.Extra[ExtraForged] != "" {
		return cases.Case{}, false, nil
	}
	for ref := range strings.FieldsSeq(m.Handle[handleRefs]) {
		o, ok := ownID(ref)
		if !ok || o.city != m.City {
			continue
		}
		id, err := s.answered(ctx, tx, o, m.SenderID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return cases.Case{}, false, err
		}
		if id != "" {
			c, err := s.o.Cases.GetIn(ctx, tx, machine, m.City, id)
			return c, err == nil, err
		}
	}
	return s.named(ctx, tx, m)
}

// answered is the case that a letter of ours was about, if it was written to this address.
func (s *Service) answered(ctx context.Context, tx *db.Tx, o own, from string) (string, error) {
	if o.kind == ofReply {
		r, h, err := s.o.Channels.AnswersIn(ctx, tx, o.city, o.id)
		if err != nil || h.SenderID != from {
			return "", err
		}
		if r.Case == "" {
			return h.Case, nil
		}
		return r.Case, nil
	}
	w, err := s.o.Notices.WrittenIn(ctx, tx, o.city, o.id)
	if err != nil || w.Channel != notice.Email || NormalAddress(w.To) != from {
		return "", err
	}
	id, _ := strings.CutPrefix(w.Subject, "case:")
	return id, nil
}

// recent is how many letters of a writer are looked through for the thread that a new one goes on with.
const recent = 20

// named finds the case by the thread of the writer's own earlier letters, or by its number in the subject.
func (s *Service) named(ctx context.Context, tx *db.Tx, m channel.Heard) (cases.Case, bool, error) {
	earlier, err := s.o.Channels.RecentIn(ctx, tx, m.City, m.Person, recent)
	if err != nil {
		return cases.Case{}, false, err
	}
	refs := " " + m.Handle[handleRefs] + " "
	for _, e := range earlier {
		if id := e.Handle[handleID]; id != "" && strings.Contains(refs, " "+id+" ") {
			c, err := s.o.Cases.GetIn(ctx, tx, machine, m.City, e.Case)
			return c, err == nil, err
		}
	}
	for _, no := range numbers.FindAllString(m.Handle[handleSubject], 3) {
		id, ok, err := caseByNo(ctx, tx, m.City, no)
		if err != nil {
			return cases.Case{}, false, err
		}
		if !ok {
			continue
		}
		c, err := s.o.Cases.GetIn(ctx, tx, machine, m.City, id)
		if err != nil {
			return c, false, err
		}
		for _, e := range earlier {
			if e.Case == id {
				return c, true, nil
			}
		}
		if own, err := s.isAddressOf(ctx, tx, m.City, c.CallerID, m.SenderID); err != nil || own {
			return c, own, err
		}
	}
	return cases.Case{}, false, nil
}

// word puts a letter on a case as a word of the resident, with its attachments, and tells the unit that holds it.
func (s *Service) word(ctx context.Context, tx *db.Tx, m channel.Heard, c cases.Case) error {
	said := Fresh(m.Said)
	const most = 1000
	if r := []rune(said); len(r) > most {
		said = string(r[:most-1]) + "…"
	}
	by := c.Resident(actor.Public)
	act := audit.Act{Act: "case.word", Public: true, Body: map[string]any{"channel": cases.Mail, "text": secret.MaskText(said), "files": len(m.Media)}}
	c, err := s.o.Cases.EditIn(ctx, tx, by, c.City, c.ID, act, func(*cases.Case) error { return nil })
	if err != nil {
		return err
	}
	if err := s.o.Channels.LinkIn(ctx, tx, m.City, m.ID, "", c.ID); err != nil {
		return err
	}
	if s.o.Told == nil || !c.Open {
		return nil
	}
	return s.o.Told(ctx, tx, c, "word")
}

// OnCase follows a letter that was tied to a case: its attachments belong to the case from now on, and its writer, when
// nobody knows a telephone of theirs, is told the number by letter, once for each case.
func (s *Service) OnCase(ctx context.Context, tx *db.Tx, m channel.Message) error {
	if m.Channel != cases.Mail {
		return nil
	}
	for _, f := range m.Media {
		if f.Blob == "" {
			continue
		}
		if _, err := blob.CopyIn(ctx, tx, machine, m.City, f.Blob, "case:"+m.Case); err != nil {
			return err
		}
	}
	c, err := s.o.Cases.GetIn(ctx, tx, machine, m.City, m.Case)
	if err != nil || !c.Open {
		return err
	}
	return s.Tell(ctx, tx, c, "message.mail.taken", nil, c.Subject()+"/mail/taken")
}

// Tell sends the writer of the letters behind a case a message by mail. Nothing happens where the caller has a telephone:
// then the message goes its usual way.
func (s *Service) Tell(ctx context.Context, tx *db.Tx, c cases.Case, template string, params map[string]any, matter string) error {
	phone, err := s.o.Cases.PhoneIn(ctx, tx, c)
	if err != nil || phone != "" {
		return err
	}
	all, err := s.o.Channels.MessagesOf(ctx, tx, c.City, "", c.ID)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Channel != cases.Mail {
			continue
		}
		h, err := s.o.Channels.HeardIn(ctx, tx, c.City, m.ID)
		if err != nil {
			return err
		}
		if h.SenderID == "" || h.Extra[ExtraForged] != "" {
			continue
		}
		said := map[string]any{"no": c.No, "link": ""}
		if s.o.Receipt != nil {
			said["link"] = s.o.Receipt(c)
		}
		maps.Copy(said, params)
		_, err = s.o.Notices.EnqueueIn(ctx, tx, machine, notice.Message{
			City: c.City, Channel: notice.Email, Person: m.Person, To: h.SenderID, Template: template, Params: said, Subject: c.Subject(), Matter: matter,
			QuietExempt: c.Kind == "leak",
		})
		return err
	}
	return nil
}

// wished keeps a writer's wish to get no more letters, or to get them again: the words stand alone in the subject or the
// text of a letter.
func (s *Service) wished(ctx context.Context, tx *db.Tx, m channel.Heard) (bool, error) {
	scope, refuse, ok := notice.Wish(m.Handle[handleSubject])
	if !ok {
		scope, refuse, ok = notice.Wish(Fresh(m.Said))
	}
	if !ok || m.SenderID == "" {
		return false, nil
	}
	if !refuse {
		scope = ""
	}
	people, err := personsAt(ctx, tx, m.City, s.blind(m.SenderID))
	if err != nil {
		return false, err
	}
	for _, p := range append(people, m.Person) {
		r := notice.Refusal{City: m.City, Person: p, Scope: scope, Door: doorMail}
		if err := s.o.Notices.RefuseIn(ctx, tx, actor.Anonymous(actor.Public), r); err != nil {
			return false, err
		}
	}
	return true, nil
}

// doorMail is how wishes that come by letter or by its link are noted.
const doorMail = "link"
