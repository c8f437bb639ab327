package bundle

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/refund"
)

// deed is what the audit chain of a home says about its refund: records of measurements, and the sum that was sealed last.
type deed struct {
	records []measure.Record
	aside   []setAside       // records that findings of the authority put another in the place of
	entries map[string]int64 // sequence number of the entry of a record
	sealed  *sealedClaim
	home    *homeLine
}

// setAside is a record that counts no more since an instant.
type setAside struct {
	record string
	at     civil.Instant
}

// sealedClaim is an entry "refund.assess" as the settlement wrote it.
type sealedClaim struct {
	seq     int64
	at      civil.Instant
	Season  string        `json:"season"`
	Status  refund.Status `json:"status"`
	Amount  string        `json:"amount_yuan"`
	Counted int           `json:"counted_days"`
}

// chainedRecord is what the chain of a home holds of a record of a measurement.
type chainedRecord struct {
	Record      string          `json:"record"`
	Measurement string          `json:"measurement"`
	Visit       string          `json:"visit"`
	Part        string          `json:"part"`
	At          civil.Instant   `json:"at"`
	Party       measure.Party   `json:"party"`
	Company     string          `json:"company"`
	Counted     bool            `json:"counted"`
	Corrects    string          `json:"corrects"`
	Reason      string          `json:"reason"`
	Facts       json.RawMessage `json:"facts"`
}

// chained takes from an entry of the chain what money follows from. The entry's hash was checked before, so that the
// records are those that were sealed.
func (v *verifier) chained(e entryLine) {
	d := &v.money.deed
	kept := audit.Entry{ID: e.ID, Body: e.Body}
	if kind, ok := strings.CutPrefix(e.Act, "measure."); ok {
		var c chainedRecord
		if kept.Data(&c) != nil || c.Record == "" {
			return
		}
		data, err := factsOf(measure.Kind(kind), c)
		if err != nil {
			v.problem(Problem{Subject: e.Subject, Seq: e.Seq, Field: "facts"}, "bundle.unreadable", "line", v.line)
			return
		}
		if d.entries == nil {
			d.entries = map[string]int64{}
		}
		d.entries[c.Record] = e.Seq
		d.records = append(d.records, measure.Record{
			ID: c.Record, Measurement: c.Measurement, Visit: c.Visit, Kind: measure.Kind(kind), Part: c.Part, At: c.At, RecordedAt: e.At, Party: c.Party,
			Company: c.Company, Counted: c.Counted, Corrects: c.Corrects, Reason: c.Reason, Data: data, Seq: e.Seq, Hash: e.Hash,
		})
		return
	}
	if strings.HasPrefix(e.Act, "finding.") {
		var f struct {
			PutAside string `json:"put_aside"`
		}
		if kept.Data(&f) == nil && f.PutAside != "" {
			d.aside = append(d.aside, setAside{f.PutAside, e.At})
		}
		return
	}
	if e.Act != "refund.assess" {
		return
	}
	s := sealedClaim{seq: e.Seq, at: e.At}
	if kept.Data(&s) == nil && v.report.Header.Scope != nil && s.Season == v.report.Header.Scope.Season {
		d.sealed = &s
	}
}

// factsOf writes the facts of an entry in the form in which a record holds them.
func factsOf(kind measure.Kind, c chainedRecord) (json.RawMessage, error) {
	var f struct {
		Outcome    measure.Outcome       `json:"outcome"`
		Retest     bool                  `json:"retest"`
		Rooms      []measure.RoomReading `json:"rooms"`
		Instrument struct {
			Fitness equipment.Fitness `json:"fitness"`
		} `json:"instrument"`
		Invited bool `json:"invited"`
	}
	read := func() error {
		if len(c.Facts) == 0 {
			return nil
		}
		return json.Unmarshal(c.Facts, &f)
	}
	switch kind {
	case measure.KindArrival:
		err := read()
		return marshal(measure.KeptArrival{Arrival: measure.Arrival{Outcome: f.Outcome, At: c.At, Retest: f.Retest}}, err)
	case measure.KindReadings:
		err := read()
		return marshal(measure.KeptReadings{Readings: measure.Readings{Rooms: f.Rooms}, Tool: measure.Tool{Fitness: f.Instrument.Fitness}}, err)
	case measure.KindLab:
		err := read()
		k := measure.KeptLab{Lab: measure.Lab{Readings: f.Rooms}}
		if f.Invited {
			k.Invited = "yes"
		}
		return marshal(k, err)
	case measure.KindReport, measure.KindRequest, measure.KindAppointment, measure.KindAgreed, measure.KindDeclined, measure.KindPhoto, measure.KindSignature,
		measure.KindAnswer, measure.KindMissed, measure.KindClaim, measure.KindDeny, measure.KindVerify, measure.KindInvitation, measure.KindWithdrawn:
	}
	if len(c.Facts) == 0 {
		return json.RawMessage("{}"), nil
	}
	return c.Facts, nil
}

func marshal(v any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// derive gives the events of the home that follow from its chain, as they stood at an instant.
func (d *deed) derive(season string, at civil.Instant) ([]refund.Event, error) {
	var upTo []measure.Record
	for _, r := range d.records {
		if !r.RecordedAt.After(at) {
			upTo = append(upTo, r)
		}
	}
	nobody := func(string) *celsius.Tenths { return nil }
	visits, err := measure.Visits(upTo, nobody, func([]measure.RoomReading, *celsius.Tenths, civil.Instant) measure.Result { return measure.Result{} })
	if err != nil {
		return nil, err
	}
	events, err := measure.CountedEvents(upTo, visits, at)
	events = slices.DeleteFunc(events, func(e measure.Counted) bool {
		return slices.ContainsFunc(d.aside, func(a setAside) bool { return a.record == e.Record && !a.at.After(at) })
	})
	return ownEvents(measure.ForRefund(events), season), err
}

// followsFromChain checks that the events of a claim are exactly those that the sealed records of the home give, and that
// its sum is the one that was sealed. A claim that the chain moved past since is held against the chain as it stood when
// the claim was last reckoned.
func (v *verifier) followsFromChain(at Problem, c *claimLine) {
	d := &v.money.deed
	said := ownEvents(c.Events, v.money.terms.Season)
	want, err := d.derive(v.money.terms.Season, v.report.Header.At)
	if err != nil {
		v.problem(Problem{Subject: at.Subject, Field: "events"}, "bundle.not_computed", "home", c.Home)
		return
	}
	if then, err := d.derive(v.money.terms.Season, c.Changed); err == nil && eventsDiffer(want, said) >= 0 && eventsDiffer(then, said) < 0 {
		want = then
	}
	if i := eventsDiffer(want, said); i >= 0 {
		v.eventDiffers(at, i, want, said)
	}
	if d.sealed != nil && !c.Stale {
		v.followsFromSeal(at, *d.sealed, c)
	}
}

// followsFromSeal checks that the sum that the chain sealed last follows from the claim's events up to the day of the seal.
// A home that stays cold has more to get every day; that is counted on without a seal, since nothing was recorded.
func (v *verifier) followsFromSeal(at Problem, s sealedClaim, c *claimLine) {
	have := refund.Result{Status: refund.NotComputable}
	if v.money.plan != nil {
		in := v.input(c, s.at.Date())
		if last := v.money.terms.To.Add(-time.Millisecond).Date(); last.Before(in.Only.To) {
			in.Only.To = last
		}
		if r, err := v.money.plan.Assess(&in, &v.money.scratch); err == nil {
			have = r
		}
	}
	if have.Status == refund.NotComputable {
		have.Refund = 0
	}
	for _, f := range []struct {
		name       string
		want, have any
	}{{"status", s.Status, have.Status}, {"amount_yuan", s.Amount, have.Refund.Yuan()}, {"counted_days", s.Counted, have.Counted}} {
		if f.want != f.have {
			at.Field, at.Seq = f.name, s.seq
			v.differs(at, f.want, f.have)
		}
	}
}

// eventsDiffer is the place of the first event that differs, -1 where none does.
func eventsDiffer(a, b []refund.Event) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || !sameEvent(a[i], b[i]) {
			return i
		}
	}
	return -1
}

func sameEvent(a, b refund.Event) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// eventDiffers names the record, the field, what follows from the chain and what the claim says.
func (v *verifier) eventDiffers(at Problem, i int, want, said []refund.Event) {
	at.Field = "events." + strconv.Itoa(i)
	var w, h any
	if i < len(want) {
		w, at.Seq = want[i], v.money.deed.entries[want[i].Record]
	}
	if i < len(said) {
		h = said[i]
	}
	a, err1 := json.Marshal(w)
	b, err2 := json.Marshal(h)
	if err1 != nil || err2 != nil {
		return
	}
	x, y := firstDifference(a, b, &at.Field)
	v.differs(at, x, y)
}
