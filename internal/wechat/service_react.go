package wechat

import (
	"context"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// react says what a message is answered with, and notes what follows from it.
func (s *Service) react(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	switch sc.in.Kind {
	case Sent:
		return "", s.reported(ctx, tx, sc.a, sc.u, *sc.in.Outcome)
	case Consents:
		return "", s.heardConsents(ctx, tx, sc.a, sc.u, sc.in)
	case Unsubscribe:
		if err := s.written(ctx, tx, sc, false); err != nil {
			return "", err
		}
		return "", s.end(ctx, tx, sc)
	case Other:
		return sc.t("wechat.help"), nil
	case Text, Image, Voice, Location, Subscribe, Menu:
	}
	if err := s.written(ctx, tx, sc, true); err != nil {
		return "", err
	}
	switch sc.in.Kind {
	case Subscribe:
		return sc.t("wechat.welcome"), nil
	case Menu:
		return s.wish(ctx, tx, sc, intentOfButton(sc.in.Text))
	case Location:
		return s.located(ctx, tx, sc)
	case Image:
		return s.pictured(ctx, tx, sc)
	case Voice:
		return s.heard(ctx, tx, sc)
	case Text, Unsubscribe, Sent, Consents, Other:
	}
	return s.said(ctx, tx, sc)
}

func (sc *scene) t(key string, pairs ...any) string { return text.T(sc.lang, key, pairs...) }

// said answers a text.
func (s *Service) said(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	if scope, refuse, ok := notice.Wish(sc.in.Text); ok && !sc.early.answered {
		return s.wished(ctx, tx, sc, scope, refuse)
	}
	want := intentOf(sc.in.Text)
	switch {
	case want == wantsCancel && sc.open:
		return sc.t("wechat.cancelled"), s.end(ctx, tx, sc)
	case want == wantsProgress || want == wantsBind && !sc.open:
		return s.wish(ctx, tx, sc, want)
	case sc.open:
		return s.step(ctx, tx, sc)
	case sc.early.answered:
		return sc.t("wechat.answered"), nil
	case want == wantsNothing:
		return sc.t("wechat.help"), nil
	}
	return s.wish(ctx, tx, sc, want)
}

// wished keeps that somebody wants no more messages by WeChat, nothing at all any more, or both again. A stop in the middle of
// a conversation ends the conversation, as it always did.
func (s *Service) wished(ctx context.Context, tx *db.Tx, sc *scene, scope notice.Scope, refuse bool) (string, error) {
	if sc.open && intentOf(sc.in.Text) == wantsCancel {
		return sc.t("wechat.cancelled"), s.end(ctx, tx, sc)
	}
	if !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(sc.in.Text)), "ST") {
		sc.lang = text.ZH // TD and QX are Chinese people's letters
	}
	sc.u.Muted = refuse
	if err := updateUser(ctx, tx, sc.u); err != nil {
		return "", err
	}
	sc.u.Version++
	act := "wechat.muted"
	if !refuse {
		act = "wechat.unmuted"
	}
	if err := audit.Record(ctx, tx, visitor(), sc.a.City, audit.Act{Subject: "person:" + sc.u.Person, Act: act}); err != nil {
		return "", err
	}
	switch {
	case !refuse:
		return sc.t("wechat.unmuted"), s.wantsAgain(ctx, tx, sc)
	case scope != notice.Everything || sc.u.Resident == "":
		return sc.t("wechat.muted"), nil
	}
	err := s.o.Notices.RefuseIn(ctx, tx, visitor(), notice.Refusal{City: sc.a.City, Person: sc.u.Resident, Scope: scope, Door: "wechat"})
	return sc.t("wechat.muted_all"), err
}

// wantsAgain takes back that somebody wanted nothing at all, by whatever door they had said so. That they want no bulletins
// nobody says here, so that it stays.
func (s *Service) wantsAgain(ctx context.Context, tx *db.Tx, sc *scene) error {
	if sc.u.Resident == "" {
		return nil
	}
	r, err := s.o.Notices.RefusalOf(ctx, tx, sc.a.City, sc.u.Resident)
	if err != nil || r.Scope != notice.Everything {
		return err
	}
	return s.o.Notices.RefuseIn(ctx, tx, visitor(), notice.Refusal{City: sc.a.City, Person: sc.u.Resident, Door: "wechat"})
}

// heard takes a voice message: what WeChat recognised in it is an answer like any other, and a person can listen to it.
func (s *Service) heard(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	if err := s.later(ctx, tx, sc, "voice"); err != nil {
		return "", err
	}
	sc.in.Text = strings.TrimRight(strings.TrimSpace(sc.in.Text), "。.")
	secret := sc.open && (sc.d.Step == askBindPhone || sc.d.Step == askBindCode)
	if sc.in.Text == "" || secret || !sc.open && intentOf(sc.in.Text) == wantsNothing {
		return sc.t("wechat.voice"), nil
	}
	heard := sc.t("wechat.heard", "text", cut(sc.in.Text, 60))
	said, err := s.said(ctx, tx, sc)
	return heard + "\n" + said, err
}

// wish does what was asked for by a word or a button.
func (s *Service) wish(ctx context.Context, tx *db.Tx, sc *scene, want intent) (string, error) {
	switch want {
	case wantsReport:
		sc.n = notes{Lang: sc.lang, Message: sc.msg.ID}
		if sc.in.Kind == Text || sc.in.Kind == Voice {
			sc.n.Text, sc.n.Since = sc.in.Text, sinceIn(sc.in.Text)
		}
		return s.ask(ctx, tx, sc, "")
	case wantsProgress:
		return s.progress(ctx, tx, sc)
	case wantsHall:
		return s.hall(ctx, tx, sc)
	case wantsBind:
		sc.n = notes{Lang: sc.lang}
		return sc.t("wechat.bind.phone"), s.put(ctx, tx, sc, askBindPhone)
	case wantsSeat:
		return sc.t("wechat.seat"), nil
	case wantsHelp, wantsCancel, wantsNothing:
	}
	return sc.t("wechat.help"), nil
}

// step takes the answer to the question that waits.
func (s *Service) step(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	switch sc.d.Step {
	case askAddress:
		return s.addressed(ctx, tx, sc, cut(sc.in.Text, 200))
	case askPhone:
		if sc.n.Phone = phoneIn(sc.in.Text); sc.n.Phone == "" {
			return sc.t("wechat.ask.phone_again"), s.put(ctx, tx, sc, askPhone)
		}
	case askSince:
		sc.n.Since = sinceOf(sc.in.Text)
	case askTest:
		yes, ok := yesNo(sc.in.Text)
		if !ok {
			return sc.t("wechat.ask.test"), s.put(ctx, tx, sc, askTest)
		}
		sc.n.Test = yes
	case askBindPhone, askBindCode:
		return s.binding(ctx, tx, sc)
	}
	return s.ask(ctx, tx, sc, "")
}

// ask puts the next question, with a word before it, or has the case opened when nothing is left to ask.
func (s *Service) ask(ctx context.Context, tx *db.Tx, sc *scene, first string) (string, error) {
	if sc.n.Phone == "" {
		sc.n.Phone = sc.early.phone
	}
	since, test, err := s.needs(ctx, tx, sc)
	if err != nil {
		return "", err
	}
	at := sc.n.next(since, test)
	if at == "" {
		return s.complete(ctx, tx, sc)
	}
	question := sc.t("wechat.ask." + string(at))
	if first != "" {
		question = first + "\n" + question
	}
	return question, s.put(ctx, tx, sc, at)
}

// needs says which of the pack's required fields for such a matter this conversation has to ask for.
func (s *Service) needs(ctx context.Context, tx *db.Tx, sc *scene) (since, test bool, err error) {
	r, err := s.o.Rules(ctx, tx, sc.a.City)
	if err != nil {
		return false, false, err
	}
	var cat *citypack.Category
	if g := r.Pack.Classify(sc.n.words()); len(g) > 0 {
		cat, _ = r.Pack.Category(g[0].Code)
	}
	for _, f := range r.Pack.Required(cat, string(citypack.DoorWeb)) {
		since = since || f == string(citypack.FieldSince)
		test = test || f == string(citypack.FieldTestRequest)
	}
	return since, test, nil
}

// words are the resident's own, or what the button that they tapped says.
func (n notes) words() string {
	if n.Text != "" {
		return n.Text
	}
	return text.T(text.ZH, "wechat.cold")
}

// located takes a location: the address of a report, or the beginning of one.
func (s *Service) located(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	if !sc.open || sc.d.Step != askAddress {
		return sc.t("wechat.help"), nil
	}
	sc.n.Point = sc.in.Point
	return s.addressed(ctx, tx, sc, sc.in.Label)
}

// addressed takes an address, says whom it belongs to and goes on; one that is not understood is asked for once more.
func (s *Service) addressed(ctx context.Context, tx *db.Tx, sc *scene, said string) (string, error) {
	if sc.n.Address = strings.TrimSpace(sc.n.Address + " " + said); sc.n.Address == "" {
		sc.n.Asked++
		return sc.t("wechat.ask.address_again"), s.put(ctx, tx, sc, askAddress)
	}
	q := territory.Query{Text: sc.n.Address, At: tx.Now}
	if sc.n.Point != nil {
		q.Lng, q.Lat = &sc.n.Point.Lng, &sc.n.Point.Lat
	}
	a, err := s.o.Attribute(ctx, tx, sc.a.City, q)
	if err != nil && ours(err) != nil {
		return "", err
	}
	room := a.Room != "" || territory.ParseAddress(sc.n.Address).Room != ""
	if sc.n.Asked == 0 && (err != nil || a.Community == nil || !room) {
		sc.n.Asked++
		key := "wechat.ask.address_again"
		if a.Community != nil {
			key = "wechat.ask.room"
		} else {
			sc.n.Address = ""
		}
		return sc.t(key), s.put(ctx, tx, sc, askAddress)
	}
	first := ""
	if a.Community != nil && a.Company != "" {
		first = sc.t("wechat.served", "community", a.Community.Name, "company", s.o.Company(ctx, tx, sc.a.City, a.Company, sc.lang))
	}
	return s.ask(ctx, tx, sc, first)
}

// complete hands a finished report to the job that opens the case.
func (s *Service) complete(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	if sc.n.Text == "" {
		sc.n.Text = text.T(text.ZH, "wechat.cold")
	}
	sc.n.Message = sc.msg.ID
	sealed, err := s.seal(ctx, tx, sc.u, sc.n)
	if err != nil {
		return "", err
	}
	if err := jobs.Add(ctx, tx, sc.a.City, opening{User: sc.u.ID, Notes: sealed, Key: sc.in.Key}, jobs.When{}); err != nil {
		return "", err
	}
	return sc.t("wechat.opening"), s.end(ctx, tx, sc)
}

// pictured keeps a picture with the report that is being made, or with the open case.
func (s *Service) pictured(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	const most = 5
	if sc.open && sc.d.Step != askBindPhone && sc.d.Step != askBindCode {
		if len(sc.n.Photos) < most {
			sc.n.Photos = append(sc.n.Photos, sc.in.Media)
		}
		kept, question := sc.t("wechat.photo_kept"), sc.t("wechat.ask."+string(sc.d.Step))
		return kept + "\n" + question, s.put(ctx, tx, sc, sc.d.Step)
	}
	c, ok, err := s.openCase(ctx, tx, sc.u)
	if err != nil {
		return "", err
	}
	if !ok {
		return sc.t("wechat.no_case_for_photo"), nil
	}
	return sc.t("wechat.photo_for", "no", c.No), s.later(ctx, tx, sc, "image")
}

// later has the media of a message fetched by a job, while WeChat still keeps them.
func (s *Service) later(ctx context.Context, tx *db.Tx, sc *scene, kind string) error {
	return jobs.Add(ctx, tx, sc.a.City, fetching{User: sc.u.ID, Account: sc.a.Name, Media: sc.in.Media, Form: kind, Message: sc.msg.ID}, jobs.When{})
}

// openCase is the newest case of a user that is not over.
func (s *Service) openCase(ctx context.Context, tx *db.Tx, u user) (cases.Case, bool, error) {
	own, err := casesOf(ctx, tx, u.City, u.ID, 5)
	if err != nil {
		return cases.Case{}, false, err
	}
	for _, o := range own {
		c, err := s.o.Cases.ProveIn(ctx, tx, u.City, cases.Proof{Token: o.Token})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return c, false, err
		}
		if err == nil && c.Open {
			return c, true, nil
		}
	}
	return cases.Case{}, false, nil
}

// progress tells how far the user's own cases have come: those that were opened from this conversation.
func (s *Service) progress(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	own, err := casesOf(ctx, tx, sc.a.City, sc.u.ID, 3)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, o := range own {
		c, err := s.o.Cases.ProveIn(ctx, tx, sc.a.City, cases.Proof{Token: o.Token})
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		lines = append(lines, s.stands(ctx, tx, sc, c))
	}
	if len(lines) == 0 {
		return sc.t("wechat.no_case"), nil
	}
	return strings.Join(lines, "\n\n"), nil
}

// stands says where a case is, in a line or two and with the page that says all.
func (s *Service) stands(ctx context.Context, tx *db.Tx, sc *scene, c cases.Case) string {
	line := sc.t("wechat.stands", "no", c.No, "at", day(c.ReceivedAt), "status", sc.t("status."+string(c.Status)))
	if c.Company != "" {
		with := sc.t("wechat.with", "company", s.o.Company(ctx, tx, sc.a.City, c.Company, sc.lang))
		line += "\n" + with
	}
	if c.Open && !c.DueAt.IsZero() {
		key := "wechat.due"
		if c.DueAt.Before(tx.Now) {
			key = "wechat.overdue"
		}
		line += "\n" + sc.t(key, "at", day(c.DueAt))
	}
	return line + "\n" + s.o.Receipt(c.City, c.Token)
}

// hall gives whoever has bound a telephone a link that logs in once.
func (s *Service) hall(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	if sc.u.Resident == "" {
		return sc.t("wechat.hall.bind_first"), nil
	}
	link, err := s.ticketIn(ctx, tx, sc.u, ticketHall)
	if err != nil {
		return "", err
	}
	return sc.t("wechat.hall.link", "link", s.o.Entrance(sc.a.City, link), "minutes", int(ticketLife/time.Minute)), nil
}

// binding leads from a telephone and its code to a bound account.
func (s *Service) binding(ctx context.Context, tx *db.Tx, sc *scene) (string, error) {
	e := sc.early
	switch {
	case sc.d.Step == askBindPhone && phoneIn(sc.in.Text) == "":
		return sc.t("wechat.ask.phone_again"), s.put(ctx, tx, sc, askBindPhone)
	case sc.d.Step == askBindPhone && e.asked != nil:
		return text.Fault(sc.lang, fault.Of(e.asked)), s.end(ctx, tx, sc)
	case sc.d.Step == askBindPhone:
		sc.n.Phone = phoneIn(sc.in.Text)
		return sc.t("wechat.bind.code"), s.put(ctx, tx, sc, askBindCode)
	case e.entered == nil:
		return sc.t("wechat.bind.code_again"), s.put(ctx, tx, sc, askBindCode)
	case fault.Is(e.entered.err, fault.Exhausted):
		return text.Fault(sc.lang, fault.Of(e.entered.err)), s.end(ctx, tx, sc)
	case e.entered.err != nil:
		return sc.t("wechat.bind.code_again"), s.put(ctx, tx, sc, askBindCode)
	}
	if err := s.bindIn(ctx, tx, sc.u, sc.in.OpenID, e.entered.person); err != nil {
		return "", err
	}
	return sc.t("wechat.bind.done"), s.end(ctx, tx, sc)
}

// bindIn joins a user with the resident who proved their telephone.
func (s *Service) bindIn(ctx context.Context, tx *db.Tx, u user, openid, person string) error {
	by := resident.As(u.City, person, actor.Public)
	if err := s.o.Residents.LinkIdentityIn(ctx, tx, by, resident.Link{City: u.City, Person: person, Channel: resident.WeChat, External: openid}); err != nil {
		return err
	}
	fresh, err := findUser(ctx, tx, u.City, u.ID)
	if err != nil || fresh.Resident == person {
		return err
	}
	fresh.Resident = person
	return updateUser(ctx, tx, fresh)
}
