package cases

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Opened is what intake answers: the case, and whether it was already with its company when the call ended.
type Opened struct {
	Case       Case `json:"case"`
	Reminder   bool `json:"reminder,omitempty"` // the same caller's case is still open and was urged instead
	Dispatched bool `json:"dispatched"`
}

// Open takes in a new matter by any door.
func (s *Service) Open(ctx context.Context, by actor.Actor, in Opening) (Opened, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Opened, error) { return s.OpenIn(ctx, tx, by, in) })
}

// OpenIn is Open inside the caller's transaction. The same key gives the same answer again.
func (s *Service) OpenIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Opening) (Opened, error) {
	key := once.Request{City: in.City, By: by, Key: in.Key, Body: in}
	id, err := once.Do(ctx, tx, key, func() (opened, error) {
		o, err := s.open(ctx, tx, by, in)
		return opened{ID: o.Case.ID, Reminder: o.Reminder, fresh: &o}, err
	})
	if err != nil {
		return Opened{}, err
	}
	if id.fresh != nil {
		return *id.fresh, nil
	}
	c, err := find(ctx, tx, in.City, id.ID)
	return Opened{Case: c, Reminder: id.Reminder, Dispatched: c.Company != ""}, err
}

// opened is what is kept with an idempotency key.
type opened struct {
	ID       string  `json:"id"`
	Reminder bool    `json:"reminder,omitempty"`
	fresh    *Opened // only in the call that did the work
}

func (s *Service) open(ctx context.Context, tx *db.Tx, by actor.Actor, in Opening) (Opened, error) {
	right := actor.CaseOpen
	if in.Door == citypack.DoorImport {
		right = actor.CaseImport
	}
	if err := by.May(right, actor.On{City: in.City}); err != nil {
		return Opened{}, err
	}
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Opened{}, err
	}
	in.trim()
	if channel(in) == Leader && in.Text == "" {
		in.Text = in.Origin.Text
	}
	if in.Door == citypack.DoorSeat && r.Peak && !onPaper(in.Channel) {
		in.Door = citypack.DoorPeak
	}
	if err := in.Check(r.Pack, tx.Now); err != nil {
		return Opened{}, err
	}
	if in.TicketNo != "" {
		c, known, err := findTicket(ctx, tx, in.City, channel(in), in.TicketNo)
		if known && c.Concern().Keeps(by) {
			return Opened{}, fault.New(fault.Conflict, "case.ticket_taken")
		}
		if err != nil || known {
			return Opened{Case: c, Dispatched: c.Company != ""}, err
		}
	}
	if err := s.taken(ctx, tx, by, in, cmp.Or(in.ReceivedAt, tx.Now)); err != nil {
		return Opened{}, err
	}
	cat, err := category(r.Pack, in)
	if err != nil {
		return Opened{}, err
	}
	c, err := s.draft(ctx, tx, by, r, in, cat)
	if err != nil {
		return Opened{}, err
	}
	if in.Answer != "" && in.About.Org != "" {
		return Opened{}, fault.New(fault.Conflict, "case.staff_elsewhere") // who is at the telephone does not settle it
	}
	if in.Answer == "" && in.About.Org == "" {
		c.Missing = in.MissingFields(r.Pack, cat)
	}
	if len(c.Missing) > 0 && in.strict(c.Urgency) {
		return Opened{}, missingFault(c.Missing)
	}
	if in.Text == "" && in.Caller.Phone == "" && in.Address == "" {
		return Opened{}, missingFault([]string{string(citypack.FieldText)})
	}
	if err := s.about(ctx, tx, in, &c); err != nil {
		return Opened{}, err
	}
	if again, ok, err := s.reminded(ctx, tx, by, r, in, c); err != nil || ok {
		return Opened{Case: again, Reminder: ok}, err
	}
	a, err := s.attribute(ctx, tx, in)
	if err != nil {
		return Opened{}, err
	}
	if err := place(&c, in, a); err != nil {
		return Opened{}, err
	}
	return s.settle(ctx, tx, by, r, in, c, a)
}

func missingFault(missing []string) error {
	var check fault.Check
	for _, f := range missing {
		check.Add(FieldName(f), "field.required")
	}
	return check.Err()
}

// category is the one chosen, or the best guess from the words, or the city's category for everything else.
func category(p *citypack.Pack, in Opening) (*citypack.Category, error) {
	code := in.Category
	if code == "" {
		if g := p.Classify(in.Text); len(g) > 0 {
			code = g[0].Code
		}
	}
	if cat, ok := p.Category(code); ok {
		return cat, nil
	}
	leaves := p.Leaves()
	i := slices.IndexFunc(leaves, func(c *citypack.Category) bool { return c.Kind == citypack.KindInquiry })
	if i < 0 {
		return nil, fault.New(fault.Invalid, "case.no_category")
	}
	return leaves[i], nil
}

// draft makes the case of what was said; where it is comes later.
func (s *Service) draft(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, in Opening, cat *citypack.Category) (Case, error) {
	received := in.ReceivedAt
	if received.IsZero() {
		received = tx.Now
	}
	c := Case{
		City: in.City, ID: tx.NewID(), Channel: channel(in), Door: in.Door, TicketNo: in.TicketNo, ReceivedAt: received,
		RecordedAt: tx.Now, Nature: cmp.Or(in.Nature, cat.Nature, citypack.Inquiry), Category: cat.Code, Kind: cat.Kind,
		Text: secret.MaskText(in.Text), Relation: in.Relation, Secret: in.Secret || cat.SecretCaller, Scope: cmp.Or(in.Scope, Home),
		Account: in.Account, Details: in.Details, Peak: in.Door == citypack.DoorPeak, Paper: in.Paper != "", Outage: in.Outage,
		Token: cmp.Or(in.Token, newToken()), CreatedBy: by.ID, UpdatedAt: tx.Now, Version: 1, Status: Reported, Open: true, DueSort: noDue,
	}
	if in.TestRequest == "yes" {
		c.TestAt = received
	}
	in.prepare(&c)
	c.Urgency, _ = r.Pack.UrgencyOf(cat, in.Text, in.Details.Care)
	if rank(in.Urgency) > rank(c.Urgency) {
		c.Urgency = in.Urgency
	}
	if err := s.seal(ctx, tx, &c, in); err != nil {
		return Case{}, err
	}
	seq, n, err := number(ctx, tx, in.City, tx.Now.Date())
	if err != nil {
		return Case{}, err
	}
	c.Seq, c.No = seq, numberText(r.Pack, tx.Now.Date(), n)
	return c, nil
}

func channel(in Opening) Channel {
	if in.Channel != "" {
		return in.Channel
	}
	switch in.Door {
	case citypack.DoorWeb:
		return Web
	case citypack.DoorOpen311:
		return OpenAPI
	case citypack.DoorCounter:
		return Counter
	case citypack.DoorSeat, citypack.DoorPeak:
		return Phone
	case citypack.DoorAPI, citypack.DoorImport:
	}
	return Other
}

func rank(u citypack.Urgency) int {
	return slices.Index([]citypack.Urgency{citypack.Normal, citypack.Urgent, citypack.Critical}, u)
}

// numberText writes a case number as the city's pack forms it.
func numberText(p *citypack.Pack, day civil.Date, n int64) string {
	return p.Number("case", day, n, fmt.Sprintf("%04d%02d%02d-%05d", day.Year, day.Month, day.Day, n))
}

// seal keeps who calls and what they said under the caller's own key.
func (s *Service) seal(ctx context.Context, tx *db.Tx, c *Case, in Opening) error {
	p, err := secret.Subject(ctx, tx, s.o.Ring, c.City, secret.Phone, in.Caller.Phone)
	if err != nil {
		return err
	}
	c.CallerID, c.CallerName, c.CallerPhone = p.ID, secret.MaskName(in.Caller.Name), secret.MaskPhone(in.Caller.Phone)
	if c.CallerSealed, err = sealParty(p, "case.caller", in.Caller); err != nil {
		return err
	}
	c.CallerBlind = s.nameBlind(in.Caller.Name)
	c.Said = p.Seal("case.said", in.Text)
	if in.Contact.Phone == "" && in.Contact.Name == "" {
		return nil
	}
	q, err := secret.Subject(ctx, tx, s.o.Ring, c.City, secret.Phone, in.Contact.Phone)
	if err != nil {
		return err
	}
	c.ContactID, c.ContactName, c.ContactPhone = q.ID, secret.MaskName(in.Contact.Name), secret.MaskPhone(in.Contact.Phone)
	c.ContactSealed, err = sealParty(q, "case.contact", in.Contact)
	return err
}

func (s *Service) nameBlind(name string) string {
	if name = secret.NormalName(name); name == "" {
		return ""
	}
	return s.o.Ring.Blind(secret.Name, name)
}

func sealParty(p secret.Person, field string, who Party) (string, error) {
	if who == (Party{}) {
		return "", nil
	}
	b, err := json.Marshal(who)
	if err != nil {
		return "", err
	}
	return p.Seal(field, string(b)), nil
}

func (s *Service) attribute(ctx context.Context, tx *db.Tx, in Opening) (territory.Answer, error) {
	return s.o.Attribute(ctx, tx, in.City, in.Query(tx.Now))
}

// place writes where the case is: what was typed goes before what was understood.
func place(c *Case, in Opening, a territory.Answer) error {
	if a.Community != nil {
		c.Community, c.CommunityName = a.Community.ID, a.Community.Name
		c.District = a.Community.DistrictCode
	}
	c.Building, c.Unit, c.Room = cmp.Or(in.Building, a.Building), cmp.Or(in.Unit, a.Unit), cmp.Or(in.Room, a.Room)
	c.Address, c.Area, c.Station, c.Riser = in.Address, a.Area, a.Station, a.Riser
	if c.Address == "" {
		c.Address = addressOf(*c)
	}
	c.Details.Floor = cmp.Or(c.Details.Floor, a.Floor)
	c.Decision, c.Border, c.Changed = string(a.Decision), a.Border, a.Changed != nil && !a.Changed.Confirmed
	c.Proposed = cmp.Or(in.Company, a.Company)
	if in.Lng != nil && in.Lat != nil {
		crs, err := geo.ParseCRS(in.CRS)
		if err != nil {
			return err
		}
		at := crs.ToWGS84(geo.Point{Lng: *in.Lng, Lat: *in.Lat})
		c.Lng, c.Lat = &at.Lng, &at.Lat
	}
	b, err := json.Marshal(a)
	c.Attribution = b
	return err
}

// addressOf puts an address together from its parts.
func addressOf(c Case) string {
	out := c.CommunityName
	if c.Building != "" {
		out += c.Building + "号楼"
	}
	if c.Unit != "" {
		out += c.Unit + "单元"
	}
	return out + c.Room
}

// settle brings a new case as far as it can go without a person, and writes it.
func (s *Service) settle(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, in Opening, c Case, a territory.Answer) (Opened, error) {
	cat, _ := r.Pack.Category(c.Category)
	plan := Plan{Happened: []clock.Happened{{Event: citypack.EventFirstSaid, At: c.ReceivedAt}}}
	switch {
	case in.Answer != "":
		if err := by.May(actor.CaseAccept, c.On()); err != nil {
			return Opened{}, err
		}
		c.Answer, c.Article = in.Answer, in.Article
		c.enter(Answered, tx.Now)
		plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventClosed, At: tx.Now})
	case c.AboutOrg != "":
		c.Proposed = "" // no company is told of it
	case in.Hold || !s.filesItself(by, in, cat, a):
	default:
		c.enter(Filed, tx.Now)
		if s.Filed != nil {
			if err := s.Filed(ctx, tx, by, r, &c, a, &plan); err != nil {
				return Opened{}, err
			}
		}
	}
	if err := s.start(ctx, tx, r, &c, plan); err != nil {
		return Opened{}, err
	}
	if err := s.keepOrigin(ctx, tx, by, r, in, &c); err != nil {
		return Opened{}, err
	}
	if err := s.keep(ctx, tx, by, in, &c); err != nil {
		return Opened{}, err
	}
	return Opened{Case: c, Dispatched: c.Company != ""}, nil
}

// start lets the clocks of a new case run.
func (s *Service) start(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case, plan Plan) error {
	subject := clockSubject(*c, r.Pack)
	subject.New = true
	if err := s.o.Clocks.Events(ctx, tx, r, subject, plan.Happened, plan.Org); err != nil {
		return err
	}
	if !c.Open {
		return nil
	}
	return s.Due(ctx, tx, c)
}

// filesItself reports whether nobody needs to decide on filing: a person who may file does, and matters that go to a
// company by themselves come from other doors.
func (s *Service) filesItself(by actor.Actor, in Opening, cat *citypack.Category, a territory.Answer) bool {
	if cat.Direct && in.Company == "" {
		return false
	}
	if by.May(actor.CaseFile, actor.On{City: in.City}) == nil && by.Kind == actor.Person {
		return true
	}
	return cat.MayAutoDispatch() && a.MayAutoDispatch()
}

// keep writes a new case with its words, its count, its links and its entry in the audit.
func (s *Service) keep(ctx context.Context, tx *db.Tx, by actor.Actor, in Opening, c *Case) error {
	if c.AboutOrg != "" {
		in.Link = "" // the other case would lead its reader here
	}
	if in.Link != "" {
		c.Linked = true
	}
	if err := insert(ctx, tx, *c); err != nil {
		return err
	}
	if err := index(ctx, tx, *c); err != nil {
		return err
	}
	if c.AboutOrg == "" {
		if err := db.InsertAll(ctx, tx, "case_tally", []tally{tallyOf(tx, *c, 1)}); err != nil {
			return err
		}
	}
	for _, p := range in.Photos {
		if _, err := s.o.Blobs.SaveIn(ctx, tx, by, p.For(c.Subject())); err != nil {
			return err
		}
	}
	if in.Link != "" {
		if err := s.linkIn(ctx, tx, by, *c, in.Link, Related, ""); err != nil {
			return err
		}
	}
	if err := audit.Record(ctx, tx, by, c.City, audit.Act{Subject: c.Subject(), Act: "case.open", Public: true, Body: openBody(in, *c)}); err != nil {
		return err
	}
	if !c.TestAt.IsZero() && c.AboutOrg == "" && s.TestAsked != nil {
		if err := s.TestAsked(ctx, tx, by, *c); err != nil {
			return err
		}
	}
	if c.Company != "" && s.Heard != nil {
		return s.Heard(ctx, tx, *c, Dispatch)
	}
	return nil
}

func openBody(in Opening, c Case) map[string]any {
	body := map[string]any{
		"no": c.No, "channel": c.Channel, "door": c.Door, "category": c.Category, "nature": c.Nature, "urgency": c.Urgency,
		"status": c.Status, "received_at": c.ReceivedAt, "text": audit.Fingerprint(c.Subject(), in.Text),
		"decision": c.Decision, "company": c.Company, "proposed": c.Proposed,
	}
	if !c.TestAt.IsZero() {
		body["test_requested_at"] = c.TestAt
	}
	if in.Paper != "" {
		body["paper_reason"], body["checked_by"] = in.Paper, in.CheckedBy
	}
	if c.DocNo != "" {
		body["doc_no"] = c.DocNo
	}
	if len(c.Missing) > 0 {
		body["missing"] = strings.Join(c.Missing, ",")
	}
	if c.AboutOrg != "" {
		body["about"] = true
	}
	if len(in.Photos) > 0 {
		body["photos"] = len(in.Photos)
	}
	return body
}
