package measure_test

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
)

// submissions are two visits of one home, taken apart: a test that fails and a re-test that passes.
func (w *world) submissions(m measure.Measurement) []measure.Submission {
	w.t.Helper()
	one, two := w.now.Now().Add(time.Hour), w.now.Now().Add(30*time.Hour)
	var out []measure.Submission
	for i, v := range []struct {
		at   civil.Instant
		temp string
	}{{one, "15.0"}, {two, "19.5"}} {
		base := measure.Submission{City: city, Visit: w.visitID(i), Measurement: m.ID}
		a, r, s := base, base, base
		a.Arrival, r.Readings, s.Signatures = w.arrival(measure.Met, v.at), w.reading(v.temp, v.at), w.signatures(v.at)
		out = append(out, a, r, s)
	}
	return out
}

// Forms of one home that are sent in any order, some of them twice, lose nothing and come to the same.
func TestFormsInAnyOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		list := w.submissions(m)
		w.now.Advance(48 * time.Hour)
		list = append(list, list[:3]...)
		rng := rand.New(rand.NewPCG(7, uint64(len(t.Name()))))
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, in := range list {
			if _, err := w.m.Submit(ctx, worker, in); err != nil {
				t.Fatalf("%s: %v", in.Visit, err)
			}
		}
		v := w.get(m.ID)
		if v.State != measure.Conforming || v.Conflict || len(v.Visits) != 2 || v.Visits[0].Retest || !v.Visits[1].Retest {
			t.Errorf("the measurement is %s, conflict %v, visits %+v", v.State, v.Conflict, v.Visits)
		}
		if got := len(v.Records); got != 9 {
			t.Errorf("%d records, want the request and four parts of two visits: 9", got)
		}
		if got := w.types(); got != "request test retest" {
			t.Errorf("events are %s", got)
		}
	})
}

func TestTwoVersionsOfOnePartAreBothKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.now.Advance(time.Hour)
		at := w.now.Now()
		w.visit(worker, m, 1, "16.0")
		r, err := w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Readings: w.reading("18.2", at)})
		must(t, err)
		if r.Parts[0].Became != measure.PartConflict || len(r.Visit.Conflicts) != 1 || len(r.Visit.Conflicts[0].Records) != 2 {
			t.Fatalf("a second version became %+v, conflicts %+v", r.Parts[0], r.Visit.Conflicts)
		}
		v := w.get(m.ID)
		if v.State != measure.Failed || !v.Conflict {
			t.Errorf("the first version does not count: %s, conflict %v", v.State, v.Conflict)
		}
		fix := measure.Correction{
			Act: measure.Act{City: city, ID: m.ID, Reason: "抄错一位"}, Record: r.Visit.Conflicts[0].Records[0], Readings: w.reading("18.2", at),
		}
		_, err = w.m.Correct(ctx, north, fix)
		wantKind(t, err, fault.Denied) // the resident has signed
		c, err := w.m.Correct(ctx, regulator, fix)
		must(t, err)
		if c.State != measure.Conforming || c.Conflict {
			t.Errorf("after the correction: %s, conflict %v", c.State, c.Conflict)
		}
		_, err = w.m.Correct(ctx, regulator, fix)
		wantKind(t, err, fault.Conflict)
		if n := len(w.get(m.ID).Records); n != 7 {
			t.Errorf("%d records, want the old ones and the correction: 7", n)
		}
		w.log()
	})
}

func TestAVisitBelongsToOneHome(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		other, err := w.m.Request(ctx, seat, measure.Requesting{City: city, Account: "2001"})
		must(t, err)
		w.visit(worker, m, 1, "16.0")
		_, err = w.m.Submit(ctx, regulator, measure.Submission{City: city, Visit: w.visitID(1), Measurement: other.ID, Arrival: w.arrival(measure.Met, w.now.Now())})
		wantKind(t, err, fault.Conflict)
		_, err = w.m.Submit(ctx, worker, measure.Submission{City: city, Visit: w.visitID(2), Measurement: other.ID, Arrival: w.arrival(measure.Met, w.now.Now())})
		wantKind(t, err, fault.NotFound)
		for name, err := range map[string]error{
			"get":    second(w.m.Get(ctx, north, city, other.ID)),
			"log":    second(w.m.Log(ctx, north, city, "2001", "")),
			"events": second(w.m.Events(ctx, north, city, "2001", "")),
			"claim":  second(w.m.ClaimCure(ctx, north, measure.Curing{Act: measure.Act{City: city, ID: other.ID}})),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of another company's home: %v", name, err)
			}
		}
		page, err := w.m.List(ctx, north, city, measure.Filter{})
		must(t, err)
		if len(page.Items) != 1 || page.Items[0].ID != m.ID {
			t.Errorf("C1 sees %d measurements", len(page.Items))
		}
		_, err = w.m.List(ctx, actor.Anonymous(actor.Public), city, measure.Filter{})
		wantKind(t, err, fault.Denied)
	})
}

func second[T any](_ T, err error) error { return err }

func TestDeviationsAreFacts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		w.now.Set(civil.On(civil.NewDate(2026, 1, 15), 12, 0))
		at := w.now.Now()
		a, r := w.arrival(measure.Met, at), w.reading("17.9", at.Add(time.Hour)) // an hour ahead
		a.Testers = a.Testers[:1]
		r.WindowsSince, r.HeightCM, r.OutdoorC, r.Conditions, r.Instrument = at.Add(time.Hour-10*time.Minute), 30, nil, nil, "T-9"
		got, err := w.m.Submit(ctx, worker, measure.Submission{
			City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: a, Readings: r, Signatures: w.signatures(at), SentAt: at.Add(time.Hour),
		})
		must(t, err)
		var codes []string
		for _, d := range append(got.Visit.Arrival.Deviations, got.Visit.Readings.Deviations...) {
			codes = append(codes, d.Code)
		}
		for _, want := range []string{
			"device_clock", "testers_few", "device_ahead", "windows_short", "height_off", "outdoor_missing", "not_hours", "condition_open", "instrument_not_in_list",
		} {
			if !slices.Contains(codes, want) {
				t.Errorf("no %s among %v", want, codes)
			}
		}
		if got.Visit.At.After(w.now.Now()) || got.Measurement.State != measure.Failed {
			t.Errorf("a reading from the future stands at %s, state %s", got.Visit.At, got.Measurement.State)
		}
	})
}

// An instrument whose verification ended is flagged, and stays flagged when it is verified again.
func TestAnExpiredInstrumentIsFrozen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		list, err := w.tools.List(ctx, north, city, equipment.Filter{})
		must(t, err)
		tool := list.Items[0]
		e := equipment.Entry{
			City: city, ID: tool.ID, Owner: "C1", Number: "T-1", VerifiedOn: civil.NewDate(2024, 10, 1), ValidUntil: civil.NewDate(2025, 12, 31), Version: tool.Version,
		}
		changed, err := w.tools.Save(ctx, north, e)
		must(t, err)
		w.visit(worker, m, 1, "16.0")
		e.Version, e.VerifiedOn, e.ValidUntil = changed.Version, civil.NewDate(2026, 1, 1), civil.NewDate(2026, 12, 31)
		_, err = w.tools.Save(ctx, north, e)
		must(t, err)
		ev := w.log().Events
		last := ev[len(ev)-1]
		if last.Instrument != equipment.Expired || last.Certificate == nil || *last.Certificate {
			t.Errorf("the reading's instrument is %s, certificate %v", last.Instrument, last.Certificate)
		}
	})
}

func TestPhotographsAndSignaturesMayComeAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		at := w.now.Now()
		base := measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID}
		var b bytes.Buffer
		must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))))
		photo := base
		kept, err := w.blobs.Keep(ctx, blob.Upload{City: city, Purpose: blob.Photo, Name: "d.png", Reader: bytes.NewReader(b.Bytes())})
		must(t, err)
		photo.Photos = []measure.Photo{{ID: "p1", Purpose: "display", Stored: kept}}
		for range 2 {
			_, err = w.m.Submit(ctx, worker, photo)
			must(t, err)
		}
		read := base
		read.Arrival, read.Readings = w.arrival(measure.Met, at), w.reading("16.0", at)
		r, err := w.m.Submit(ctx, worker, read)
		must(t, err)
		if r.Measurement.State != measure.Unsigned || len(r.Visit.Photos) != 1 {
			t.Errorf("without signatures: %s, %d photographs", r.Measurement.State, len(r.Visit.Photos))
		}
		refused := base
		refused.Signatures = []measure.Signature{{Side: measure.UserSide, Refused: true, At: at}, {Side: measure.CompanySide, Name: "赵师傅", Strokes: "1,1", At: at}}
		r, err = w.m.Submit(ctx, worker, refused)
		must(t, err)
		if r.Measurement.State != measure.Unsigned {
			t.Errorf("a refusal without a witness decides: %s", r.Measurement.State)
		}
		witness := base
		witness.Signatures = []measure.Signature{{Side: measure.WitnessSide, Name: "李主任", Relation: "community", Strokes: "5,5", At: at}}
		r, err = w.m.Submit(ctx, worker, witness)
		must(t, err)
		if r.Measurement.State != measure.Failed {
			t.Errorf("a refusal with a witness leaves it %s", r.Measurement.State)
		}
		last := w.log().Events
		if c := last[len(last)-1]; c.SignedUser == nil || *c.SignedUser || !*c.SignedCompany || !c.RefusedToSign {
			t.Errorf("the event says %+v", c)
		}
		sheet, err := w.m.Sheet(ctx, north, city, r.Documents[0].ID)
		must(t, err)
		if len(sheet.Signers) != 3 || !slices.ContainsFunc(sheet.Signers, func(s measure.Signer) bool { return s.Name == "李主任" && s.Strokes == "5,5" }) {
			t.Errorf("the sheet's signers are %+v", sheet.Signers)
		}
		masked, err := w.m.Sheet(ctx, regulator, city, r.Documents[0].ID)
		must(t, err)
		if slices.ContainsFunc(masked.Signers, func(s measure.Signer) bool { return s.Name == "李主任" || s.Strokes != "" }) {
			t.Errorf("names are in the clear for who may not reveal them: %+v", masked.Signers)
		}
	})
}

func TestBadReadings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	m := w.asks()
	at := w.now.Now()
	for name, c := range map[string]struct {
		edit  func(*measure.Submission)
		field string
	}{
		"180 degrees":  {func(s *measure.Submission) { s.Readings.Rooms[0].TempC = tenths("180") }, "readings.rooms[0].temp_c"},
		"-40 degrees":  {func(s *measure.Submission) { s.Readings.Rooms[0].TempC = tenths("-40") }, "readings.rooms[0].temp_c"},
		"no room":      {func(s *measure.Submission) { s.Readings.Rooms[0].Room = "" }, "readings.rooms[0].room"},
		"last winter":  {func(s *measure.Submission) { s.Readings.Rooms[0].At = at.Add(-300 * 24 * time.Hour) }, "readings.rooms[0].at"},
		"no readings":  {func(s *measure.Submission) { s.Readings.Rooms = nil }, "readings.rooms"},
		"no tool":      {func(s *measure.Submission) { s.Readings.Instrument = "" }, "readings.instrument"},
		"visit":        {func(s *measure.Submission) { s.Visit = "1" }, "visit"},
		"outcome":      {func(s *measure.Submission) { s.Arrival.Outcome = "gone" }, "arrival.outcome"},
		"no reason":    {func(s *measure.Submission) { s.Arrival.Outcome = measure.RefusedByUser }, "arrival.reason"},
		"nothing":      {func(s *measure.Submission) { s.Arrival, s.Readings = nil, nil }, "arrival"},
		"bad strokes":  {func(s *measure.Submission) { s.Signatures = w.signatures(at); s.Signatures[0].Strokes = "<svg>" }, "signatures[0].strokes"},
		"no relation":  {func(s *measure.Submission) { s.Signatures = w.signatures(at); s.Signatures[0].Relation = "" }, "signatures[0].relation"},
		"nobody signs": {func(s *measure.Submission) { s.Signatures = w.signatures(at); s.Signatures[1].Name = "" }, "signatures[1].name"},
	} {
		in := measure.Submission{City: city, Visit: w.visitID(1), Measurement: m.ID, Arrival: w.arrival(measure.Met, at), Readings: w.reading("16.0", at)}
		c.edit(&in)
		_, err := w.m.Submit(ctx, worker, in)
		if !slices.ContainsFunc(fault.Of(err).Fields, func(f fault.Field) bool { return f.Name == c.field }) {
			t.Errorf("%s: got %v, want a fault of %s", name, err, c.field)
		}
	}
}

// Many phones send parts of one visit at once: each part is kept once, and the chain of the home is sound.
func TestPartsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		list := w.submissions(m)
		w.now.Advance(48 * time.Hour)
		var wg sync.WaitGroup
		for range 3 {
			for _, in := range list {
				wg.Go(func() {
					if _, err := w.m.Submit(ctx, worker, in); err != nil {
						t.Errorf("%s: %v", in.Visit, err)
					}
				})
			}
		}
		wg.Wait()
		v := w.get(m.ID)
		if len(v.Records) != 9 || v.State != measure.Conforming || v.Conflict {
			t.Errorf("%d records, %s, conflict %v", len(v.Records), v.State, v.Conflict)
		}
		w.log()
	})
}

// A city whose result is the mean compares exactly: 17.9 and 18.0 are below 18, though their mean is written 18.0.
func TestRoomsAgainstTheirStandard(t *testing.T) {
	t.Parallel()
	set := packsOf(t)
	at := civil.On(civil.NewDate(2026, 1, 15), 9, 0)
	room := func(name, kind, c string, hour int) measure.RoomReading {
		return measure.RoomReading{Room: name, Type: kind, TempC: tenths(c), At: at.Add(time.Duration(hour) * time.Hour)}
	}
	agreed := tenths("20.0")
	for name, c := range map[string]struct {
		code       int
		agreed     *celsius.Tenths
		rooms      []measure.RoomReading
		known, met bool
	}{
		"at the standard":         {990100, nil, []measure.RoomReading{room("客厅", "living_room", "18.0", 0)}, true, true},
		"a tenth below":           {990100, nil, []measure.RoomReading{room("客厅", "living_room", "17.9", 0)}, true, false},
		"one room of two":         {990100, nil, []measure.RoomReading{room("客厅", "living_room", "19.0", 0), room("主卧", "bedroom", "17.0", 0)}, true, false},
		"the contract's":          {990100, &agreed, []measure.RoomReading{room("客厅", "living_room", "19.0", 0)}, true, false},
		"a kitchen of Qingdao":    {370200, nil, []measure.RoomReading{room("厨房", "kitchen", "10.0", 0)}, true, true},
		"a kitchen elsewhere":     {990100, nil, []measure.RoomReading{room("厨房", "kitchen", "9.0", 0)}, false, false},
		"no type":                 {990100, nil, []measure.RoomReading{room("屋", "", "17.5", 0)}, true, false},
		"the last one when later": {990100, nil, []measure.RoomReading{room("客厅", "living_room", "18.5", 1), room("客厅", "living_room", "17.0", 0)}, true, true},
		"an exact mean":           {371600, nil, []measure.RoomReading{room("客厅", "living_room", "17.9", 0), room("客厅", "living_room", "18.0", 1)}, true, false},
	} {
		pack, err := set.City(c.code)
		must(t, err)
		got := measure.JudgeOf(pack)(c.rooms, c.agreed, at)
		if got.Known != c.known || got.Conforming != c.met {
			t.Errorf("%s: known %v conforming %v, want %v %v (%+v)", name, got.Known, got.Conforming, c.known, c.met, got.Rooms)
		}
	}
}

func packsOf(t *testing.T) *citypack.Set {
	t.Helper()
	set, err := citypack.Load(packFS)
	must(t, err)
	return set
}
