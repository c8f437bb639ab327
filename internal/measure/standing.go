package measure

import (
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Visit is one visit put together from its parts, in whatever order they came.
type Visit struct {
	ID          string          `json:"id"`
	Measurement string          `json:"measurement,omitempty"`
	At          civil.Instant   `json:"at"`
	Party       Party           `json:"party"`
	Company     string          `json:"company,omitempty"`
	Outcome     Outcome         `json:"outcome,omitempty"` // empty: the arrival has not come yet
	Arrival     *KeptArrival    `json:"arrival,omitempty"`
	Readings    *KeptReadings   `json:"readings,omitempty"`
	Photos      []KeptPhoto     `json:"photos,omitempty"`
	Signatures  []KeptSignature `json:"signatures,omitempty"`
	Conflicts   []Conflict      `json:"conflicts,omitempty"`
	Disputed    bool            `json:"disputed,omitempty"` // the resident says that nobody came
	Retest      bool            `json:"retest"`
	Record      string          `json:"record"` // of the readings, else of the arrival
	Result      *Result         `json:"result,omitempty"`
}

// Conflict is a part of which two different versions were sent; both are records.
type Conflict struct {
	Part    string   `json:"part"`
	Records []string `json:"records"` // the one that counts first
}

// signed reports whether a side has signed.
func (v Visit) signed(s Side) bool {
	return slices.ContainsFunc(v.Signatures, func(g KeptSignature) bool { return g.Side == s && !g.Refused })
}

// refusedToSign reports whether a side would not sign.
func (v Visit) refusedToSign(s Side) bool {
	return slices.ContainsFunc(v.Signatures, func(g KeptSignature) bool { return g.Side == s && g.Refused })
}

// Complete reports whether a reading may decide: the company has signed, and the user too or there is a witness of the
// refusal. A laboratory's or the authority's own reading needs the user's side only.
func (v Visit) Complete() bool {
	user := v.signed(UserSide) || v.refusedToSign(UserSide) && v.signed(WitnessSide)
	return v.Readings != nil && user && (v.signed(CompanySide) || v.Party != Company)
}

// event is what the visit means for the life of its measurement; none while it says too little.
func (v Visit) event() (Event, bool) {
	switch {
	case v.Readings != nil && !v.Complete():
		return Read, true
	case v.Readings != nil && v.Result != nil && v.Result.Known:
		if v.Result.Conforming {
			return Pass, true
		}
		return Fail, true
	case v.Readings != nil:
		return Read, true
	case v.Outcome == NobodyIn:
		return NobodyHome, true
	case v.Outcome == RefusedByUser:
		return Refuse, true
	case v.Outcome == RefusedByCompany:
		return TurnAway, true
	case v.Outcome == Unable:
		return Fall, true
	}
	return "", false
}

// Judge says of the readings of a visit whether they conform; it needs the rules of the city.
type Judge func(rooms []RoomReading, agreed *celsius.Tenths, at civil.Instant) Result

// Visits puts the visits of some records together, in the order in which they took place. agreed is the temperature of the
// contract of a measurement.
func Visits(records []Record, agreed func(measurement string) *celsius.Tenths, judge Judge) ([]Visit, error) {
	byID, order := map[string]*Visit{}, []string{}
	at := func(r Record) *Visit {
		v, ok := byID[r.Visit]
		if !ok {
			v = &Visit{ID: r.Visit, Measurement: r.Measurement, At: r.At, Party: r.Party, Company: r.Company}
			byID[r.Visit], order = v, append(order, r.Visit)
		}
		return v
	}
	for _, r := range Standing(records) {
		if r.Visit == "" {
			continue
		}
		if err := at(r).add(r); err != nil {
			return nil, err
		}
	}
	conflicts(records, byID)
	out := make([]Visit, 0, len(order))
	for _, id := range order {
		out = append(out, byID[id].settled(agreed, judge))
	}
	slices.SortStableFunc(out, func(a, b Visit) int {
		if a.At != b.At {
			return int(min(1, max(-1, int64(a.At)-int64(b.At))))
		}
		return strings.Compare(a.ID, b.ID)
	})
	tested := map[string]bool{}
	for i := range out {
		v := &out[i]
		if v.Readings == nil {
			v.Retest = v.Arrival != nil && v.Arrival.Retest || tested[v.Measurement]
			continue
		}
		v.Retest = v.Measurement != "" && tested[v.Measurement] || v.Arrival != nil && v.Arrival.Retest
		tested[v.Measurement] = v.Measurement != ""
	}
	return out, nil
}

func (v *Visit) add(r Record) error {
	switch r.Kind {
	case KindArrival:
		v.Arrival = &KeptArrival{}
		v.Party, v.Company = r.Party, r.Company
		if v.Record == "" {
			v.Record = r.ID
		}
		return r.Into(v.Arrival)
	case KindReadings:
		v.Readings = &KeptReadings{}
		v.Record, v.Party, v.Company = r.ID, r.Party, r.Company
		return r.Into(v.Readings)
	case KindPhoto:
		var p KeptPhoto
		err := r.Into(&p)
		v.Photos = append(v.Photos, p)
		return err
	case KindSignature:
		var g KeptSignature
		err := r.Into(&g)
		v.Signatures = append(v.Signatures, g)
		return err
	case KindAnswer:
		var a answer
		err := r.Into(&a)
		v.Disputed = v.Disputed || !a.Yes
		return err
	case KindReport, KindRequest, KindAppointment, KindAgreed, KindDeclined, KindMissed, KindClaim, KindDeny, KindVerify, KindInvitation, KindLab, KindWithdrawn:
	}
	return nil
}

// answer is what a resident said to a question of ours.
type answer struct {
	Yes bool `json:"yes"`
}

// settled gives the visit its time, outcome and result.
func (v *Visit) settled(agreed func(string) *celsius.Tenths, judge Judge) Visit {
	if v.Arrival != nil {
		v.Outcome, v.At = v.Arrival.Outcome, v.Arrival.At
	}
	if v.Readings != nil {
		v.Outcome, v.At = Met, readAt(v.Readings.Rooms)
		res := judge(v.Readings.Rooms, agreed(v.Measurement), v.At)
		res.Visit, res.By, res.Record, res.Tool = v.ID, v.Party, v.Record, v.Readings.Tool.Fitness
		v.Result = &res
	}
	return *v
}

// readAt is when a reading was finished.
func readAt(rooms []RoomReading) civil.Instant {
	var at civil.Instant
	for _, r := range rooms {
		at = max(at, r.At)
	}
	return at
}

// conflicts notes the parts of which two versions stand beside each other and no correction chose between them.
func conflicts(records []Record, visits map[string]*Visit) {
	type part struct{ visit, name string }
	corrected, versions, resolved := map[string]bool{}, map[part][]string{}, map[part]bool{}
	for _, r := range records {
		if r.Corrects != "" {
			corrected[r.Corrects] = true
		}
	}
	for _, r := range records {
		if r.Visit == "" || r.Part == "" {
			continue
		}
		p := part{r.Visit, r.Part}
		if r.Corrects != "" {
			resolved[p] = true
			continue
		}
		if r.Counted {
			versions[p] = append([]string{r.ID}, versions[p]...)
		} else {
			versions[p] = append(versions[p], r.ID)
		}
	}
	for p, ids := range versions {
		if v := visits[p.visit]; v != nil && len(ids) > 1 && !resolved[p] {
			v.Conflicts = append(v.Conflicts, Conflict{p.name, ids})
		}
	}
	for _, v := range visits {
		slices.SortFunc(v.Conflicts, func(a, b Conflict) int { return strings.Compare(a.Part, b.Part) })
	}
}

// missed is what a record of a missed test says.
type missed struct {
	Appointment string        `json:"appointment,omitempty"`
	From        civil.Instant `json:"from,omitzero"`
	Due         civil.Instant `json:"due"`
}

// undone reports whether a visit that was told later shows that the time was kept after all.
func (m missed) undone(visits []Visit, measurement string) bool {
	return slices.ContainsFunc(visits, func(v Visit) bool {
		if v.Measurement != measurement || v.Outcome == RefusedByCompany || v.Outcome == Unable || v.Outcome == "" && v.Readings == nil {
			return false
		}
		return v.At.Before(m.Due) && (m.From.IsZero() || !v.At.Before(m.From.Add(-12*time.Hour)))
	})
}

// Stand computes where a measurement stands from its records and visits. Events that do not fit where they would fall stay
// in the log and move nothing.
func Stand(measurement string, records []Record, visits []Visit) (State, error) {
	type moved struct {
		at civil.Instant
		n  int
		e  Event
	}
	var list []moved
	note := func(at civil.Instant, n int, e Event) { list = append(list, moved{at, n, e}) }
	for _, v := range visits {
		if e, ok := v.event(); ok && v.Measurement == measurement {
			note(v.At, rankOf(KindReadings), e)
		}
	}
	for _, r := range Standing(records) {
		if r.Measurement != measurement {
			continue
		}
		e, ok, err := r.moves(visits)
		if err != nil {
			return "", err
		}
		if ok {
			note(r.At, rankOf(r.Kind), e)
		}
	}
	slices.SortStableFunc(list, func(a, b moved) int {
		if a.at != b.at {
			return int(min(1, max(-1, int64(a.at)-int64(b.at))))
		}
		return a.n - b.n
	})
	s := Lifecycle.Start
	for _, m := range list {
		if step, err := Lifecycle.Next(s, m.e); err == nil {
			s = step.To
		}
	}
	return s, nil
}

// moves is what a record that is no part of a visit means for the life of its measurement.
func (r Record) moves(visits []Visit) (Event, bool, error) {
	switch r.Kind {
	case KindMissed:
		var m missed
		err := r.Into(&m)
		return Miss, err == nil && !m.undone(visits, r.Measurement), err
	case KindClaim:
		return Claim, true, nil
	case KindDeny:
		return Deny, true, nil
	case KindVerify:
		return Verify, true, nil
	case KindWithdrawn:
		return Withdraw, true, nil
	case KindLab:
		var l KeptLab
		if err := r.Into(&l); err != nil || !l.Result.Known {
			return "", false, err
		}
		if l.Result.Conforming {
			return Pass, true, nil
		}
		return Fail, true, nil
	case KindReport, KindRequest, KindAppointment, KindAgreed, KindDeclined, KindArrival, KindReadings, KindPhoto, KindSignature, KindAnswer, KindInvitation:
	}
	return "", false, nil
}

// KeptLab is the report of a laboratory with what its readings mean.
type KeptLab struct {
	Lab
	Result Result `json:"result"`
}
