package measure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Outcome is how a visit went at the door. Its name on the screen is "measure_outcome.<name>".
type Outcome string

// The outcomes.
const (
	Met              Outcome = "met"
	NobodyIn         Outcome = "nobody_home"
	RefusedByUser    Outcome = "refused_by_user"
	RefusedByCompany Outcome = "refused_by_company" // the company was there, or was asked, and would not measure
	Unable           Outcome = "unable"             // the company's own tester was there and could not measure: 企业原因未测成
)

// Cause is why the company's own tester could not measure. Its name on the screen is "measure_cause.<name>".
type Cause string

// The causes.
const (
	BrokenTool   Cause = "instrument_broken"
	NoInstrument Cause = "no_instrument"
	OutOfTime    Cause = "out_of_time"
	OtherCause   Cause = "other" // with words
)

// Causes lists the causes in the order of the form.
func Causes() []Cause { return []Cause{BrokenTool, NoInstrument, OutOfTime, OtherCause} }

// Outcomes lists the outcomes in the order of the form.
func Outcomes() []Outcome { return []Outcome{Met, NobodyIn, RefusedByUser, RefusedByCompany, Unable} }

// Spot is where the device was, as it says itself; decimals as text, so that nothing is rounded on the way.
type Spot struct {
	Lng       string `json:"lng,omitempty" form:"lng"`
	Lat       string `json:"lat,omitempty" form:"lat"`
	AccuracyM int    `json:"accuracy_m,omitempty" form:"accuracy_m"`
}

// Arrival is the part of a visit that says who came when and how the door was answered.
type Arrival struct {
	Outcome Outcome       `json:"outcome" form:"outcome"`
	At      civil.Instant `json:"at" form:"at"`
	Spot    Spot          `json:"spot,omitzero" form:"spot"`
	Retest  bool          `json:"retest,omitempty" form:"retest"`
	Testers []string      `json:"testers,omitempty" form:"testers"`   // names or staff numbers of everybody who came
	CallLog string        `json:"call_log,omitempty" form:"call_log"` // of a call at the door
	Slip    bool          `json:"slip,omitempty" form:"slip"`         // 未遇告知单 was left
	Cause   Cause         `json:"cause,omitempty" form:"cause"`       // why the company's own tester could not measure
	Reason  string        `json:"reason,omitempty" form:"reason"`     // of a refusal, or of another cause
	Note    string        `json:"note,omitempty" form:"note"`
}

// Readings is the part of a visit that says what the display showed and how it was read.
type Readings struct {
	Instrument   string          `json:"instrument" form:"instrument"`             // its number
	Owner        string          `json:"instrument_owner" form:"instrument_owner"` // empty: the visiting organisation
	WindowsSince civil.Instant   `json:"windows_closed_since,omitzero" form:"windows_closed_since"`
	HeightCM     int             `json:"height_cm,omitempty" form:"height_cm"`
	AtPoint      *bool           `json:"at_point,omitempty" form:"at_point"` // read at the point that the rules name
	OutdoorC     *celsius.Tenths `json:"outdoor_c,omitempty" form:"outdoor_c"`
	Conditions   []string        `json:"conditions,omitempty" form:"conditions"` // codes of the pack's conditions that held
	Rooms        []RoomReading   `json:"rooms" form:"rooms"`
	Note         string          `json:"note,omitempty" form:"note"`
}

// Photo is a photograph that belongs to a visit; its bytes may come before or after everything else.
type Photo struct {
	ID      string      `json:"id" form:"id"`           // made by the device
	Purpose string      `json:"purpose" form:"purpose"` // display, door, slip, sheet
	Stored  blob.Stored `json:"-" form:"-"`
}

// Side is whose signature it is. Its name on the screen is "measure_side.<name>".
type Side string

// The sides.
const (
	UserSide    Side = "user"
	CompanySide Side = "company"
	WitnessSide Side = "witness" // 社区、物业、网格员: of a refusal
)

// Signature is what one side signed, or that it would not.
type Signature struct {
	Side     Side          `json:"side" form:"side"`
	Name     string        `json:"name" form:"name"`
	Relation string        `json:"relation" form:"relation"` // self, family, tenant …; of a witness community, property, grid_worker
	Refused  bool          `json:"refused,omitempty" form:"refused"`
	Strokes  string        `json:"strokes,omitempty" form:"strokes"` // as drawn: "x,y x,y;x,y …"
	At       civil.Instant `json:"at" form:"at"`
}

// Submission is what a phone sends about one visit: some or all of its parts, in any order, as often as it likes. What was
// sent before and says the same changes nothing.
type Submission struct {
	City        int           `json:"-" form:"-"`
	Visit       string        `json:"visit" form:"visit"`             // made by the device
	Measurement string        `json:"measurement" form:"measurement"` // id; empty: a test that nobody asked for, of Account
	Account     string        `json:"account" form:"account"`
	As          Party         `json:"as" form:"as"`           // empty: told from the actor
	SentAt      civil.Instant `json:"sent_at" form:"sent_at"` // the device's clock when it sends
	Arrival     *Arrival      `json:"arrival,omitempty" form:"arrival"`
	Readings    *Readings     `json:"readings,omitempty" form:"readings"`
	Photos      []Photo       `json:"photos,omitempty" form:"-"`
	Signatures  []Signature   `json:"signatures,omitempty" form:"-"`
	Files       []blob.Stored `json:"-" form:"-"` // the bytes of Photos in their order, where they came as a form
}

// Receipt answers a submission, part by part.
type Receipt struct {
	Visit       Visit         `json:"visit"`
	Measurement *Measurement  `json:"measurement,omitempty"`
	Parts       []PartReceipt `json:"parts"`
	Documents   []Document    `json:"documents,omitempty"`
}

// PartReceipt says what became of one part.
type PartReceipt struct {
	Part   string `json:"part"`
	Became string `json:"became"` // kept, same, conflict
	Record string `json:"record"`
	Digest string `json:"digest"`
}

// What became of a part.
const (
	PartKept     = "kept"
	PartSame     = "same"
	PartConflict = "conflict"
)

// Limits of a submission. Temperatures beyond these are no room's; strokes are a drawn name and not a film.
const (
	coldest, warmest celsius.Tenths = -300, 600
	mostRooms                       = 60
	mostPhotos                      = 20
	mostStrokes                     = 60_000
	longestAgo                      = 240 * 24 * time.Hour
	deviceTolerance                 = 5 * time.Minute
	partArrival                     = "arrival"
	partReadings                    = "readings"
	partPhoto                       = "photo:"
	partSignature                   = "signature:"
)

var (
	deviceID   = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
	photoID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	coordinate = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{1,9})?$`)
	strokes    = regexp.MustCompile(`^[0-9.,; -]*$`)
)

func photoPurposes() []string { return []string{"display", "door", "slip", "sheet"} }

func witnesses() []string { return []string{"community", "property", "grid_worker"} }

func signers() []string {
	return []string{"self", "family", "tenant", "neighbour", "community", "property", "other"}
}

func (in *Submission) check(now civil.Instant) error {
	var c fault.Check
	c.That(deviceID.MatchString(in.Visit), "visit", "measure.bad_visit_id")
	c.That(in.Measurement != "" || in.Account != "", "measurement", "field.required")
	c.That(in.Arrival != nil || in.Readings != nil || len(in.Photos)+len(in.Signatures) > 0, "arrival", "field.required")
	c.That(in.Arrival == nil || in.Arrival.Outcome != Unable || in.Readings == nil, "arrival.outcome", "measure.unable_read")
	c.That(len(in.Photos) <= mostPhotos, "photos", "field.out_of_range", "min", 0, "max", mostPhotos)
	if in.Arrival != nil {
		in.Arrival.check(&c, now)
	}
	if in.Readings != nil {
		in.Readings.check(&c, now)
	}
	c.That(len(in.Files) == 0 || len(in.Files) == len(in.Photos), "photos", "measure.photo_count", "files", len(in.Files), "photos", len(in.Photos))
	for i := range in.Photos {
		if i < len(in.Files) {
			in.Photos[i].Stored = in.Files[i]
		}
		p, at := in.Photos[i], fmt.Sprintf("photos[%d].", i)
		c.That(p.Stored.SHA256() != "", at+"id", "measure.photo_missing")
		c.That(photoID.MatchString(p.ID), at+"id", "measure.bad_visit_id")
		c.That(slices.Contains(photoPurposes(), p.Purpose), at+"purpose", "field.not_one_of", "allowed", words(photoPurposes()))
	}
	for i := range in.Signatures {
		in.Signatures[i].check(&c, fmt.Sprintf("signatures[%d].", i), now)
	}
	return c.Err()
}

func (a *Arrival) check(c *fault.Check, now civil.Instant) {
	c.That(slices.Contains(Outcomes(), a.Outcome), "arrival.outcome", "field.not_one_of", "allowed", words(Outcomes()))
	when(c, "arrival.at", a.At, now)
	c.That(a.Spot.Lng == "" || coordinate.MatchString(a.Spot.Lng), "arrival.spot.lng", "field.not_a_number")
	c.That(a.Spot.Lat == "" || coordinate.MatchString(a.Spot.Lat), "arrival.spot.lat", "field.not_a_number")
	c.That(len(a.Testers) <= 10, "arrival.testers", "field.out_of_range", "min", 0, "max", 10)
	for _, f := range []struct{ name, v string }{{"call_log", a.CallLog}, {"reason", a.Reason}, {"note", a.Note}} {
		c.That(utf8.RuneCountInString(f.v) <= 1000, "arrival."+f.name, "field.too_long", "max", 1000)
	}
	refused := a.Outcome == RefusedByUser || a.Outcome == RefusedByCompany
	c.That(!refused && a.Cause != OtherCause || a.Reason != "", "arrival.reason", "field.required")
	c.That(a.Outcome != Unable || slices.Contains(Causes(), a.Cause), "arrival.cause", "field.not_one_of", "allowed", words(Causes()))
	c.That(a.Outcome == Unable || a.Cause == "", "arrival.cause", "measure.cause_without")
}

func (r *Readings) check(c *fault.Check, now civil.Instant) {
	c.That(r.Instrument != "", "readings.instrument", "field.required")
	c.That(utf8.RuneCountInString(r.Instrument) <= 100, "readings.instrument", "field.too_long", "max", 100)
	c.That(r.HeightCM >= 0 && r.HeightCM <= 400, "readings.height_cm", "field.out_of_range", "min", 0, "max", 400)
	c.That(len(r.Rooms) > 0, "readings.rooms", "field.required")
	c.That(len(r.Rooms) <= mostRooms, "readings.rooms", "field.out_of_range", "min", 1, "max", mostRooms)
	c.That(utf8.RuneCountInString(r.Note) <= 1000, "readings.note", "field.too_long", "max", 1000)
	if r.OutdoorC != nil {
		c.That(*r.OutdoorC >= -600 && *r.OutdoorC <= 500, "readings.outdoor_c", "field.out_of_range", "min", "-60", "max", "50")
	}
	checkRooms(c, "readings.rooms", r.Rooms, now)
}

func checkRooms(c *fault.Check, name string, rooms []RoomReading, now civil.Instant) {
	for i, m := range rooms {
		at := fmt.Sprintf("%s[%d].", name, i)
		c.That(m.Room != "", at+"room", "field.required")
		c.That(utf8.RuneCountInString(m.Room) <= 40, at+"room", "field.too_long", "max", 40)
		c.That(m.TempC >= coldest && m.TempC <= warmest, at+"temp_c", "field.out_of_range", "min", coldest, "max", warmest)
		when(c, at+"at", m.At, now)
	}
}

func (s *Signature) check(c *fault.Check, at string, now civil.Instant) {
	c.That(s.Side == UserSide || s.Side == CompanySide || s.Side == WitnessSide, at+"side", "field.not_one_of", "allowed", "user, company, witness")
	c.That(s.Name != "" || s.Refused, at+"name", "field.required")
	c.That(utf8.RuneCountInString(s.Name) <= 60, at+"name", "field.too_long", "max", 60)
	c.That(s.Refused || s.Strokes != "", at+"strokes", "field.required")
	c.That(len(s.Strokes) <= mostStrokes, at+"strokes", "field.too_long", "max", mostStrokes)
	c.That(strokes.MatchString(s.Strokes), at+"strokes", "measure.bad_strokes")
	switch s.Side {
	case UserSide:
		c.That(s.Refused || slices.Contains(signers(), s.Relation), at+"relation", "field.not_one_of", "allowed", words(signers()))
	case WitnessSide:
		c.That(slices.Contains(witnesses(), s.Relation), at+"relation", "field.not_one_of", "allowed", words(witnesses()))
	case CompanySide:
	}
	when(c, at+"at", s.At, now)
}

// when checks a time that a device gives. One that lies ahead is no fault here: a wrong watch in a stairwell must not cost
// the record; it is noted and the server's time stands in its place.
func when(c *fault.Check, name string, at, now civil.Instant) {
	c.That(!at.IsZero(), name, "field.required")
	c.That(at.IsZero() || now.Sub(at) <= longestAgo, name, "measure.too_long_ago")
}

// Kept forms of the parts: what a record holds.

// KeptArrival is an arrival with what was noted about it.
type KeptArrival struct {
	Arrival
	Deviations []Deviation `json:"deviations,omitempty"`
}

// KeptReadings are readings with the instrument as the register knew it then, and what was noted about them.
type KeptReadings struct {
	Readings
	Tool       Tool        `json:"tool"`
	Deviations []Deviation `json:"deviations,omitempty"`
}

// Tool is the instrument of a reading, frozen.
type Tool struct {
	Owner       string            `json:"owner"`
	Number      string            `json:"number"`
	Kind        equipment.Kind    `json:"kind,omitempty"`
	Model       string            `json:"model,omitempty"`
	Certificate string            `json:"certificate,omitempty"`
	VerifiedOn  civil.Date        `json:"verified_on,omitzero"`
	ValidUntil  civil.Date        `json:"valid_until,omitzero"`
	Fitness     equipment.Fitness `json:"fitness"` // on the day of the reading
}

// KeptPhoto is a photograph as its record names it.
type KeptPhoto struct {
	ID      string `json:"id"`
	Purpose string `json:"purpose"`
	Blob    string `json:"blob"`
	SHA256  string `json:"sha256"`
}

// KeptSignature is a signature with its name and strokes sealed under the key of the signer.
type KeptSignature struct {
	Side     Side   `json:"side"`
	Relation string `json:"relation,omitempty"`
	Refused  bool   `json:"refused,omitempty"`
	Name     string `json:"name,omitempty"` // masked
	Person   string `json:"person,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
	Strokes  string `json:"strokes_sealed,omitempty"`
}

// digest is what two versions of a part are told apart by.
func digest(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func words[T ~string](list []T) string {
	var out strings.Builder
	for i, w := range list {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(string(w))
	}
	return out.String()
}
