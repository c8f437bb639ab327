package territory

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/text"
)

// ladder is the rank of a method, strongest first.
func (m Method) ladder() int {
	return slices.Index([]Method{ByHousehold, ByBuilding, ByCommunity, ByAlias, ByRoad, ByPoint}, m)
}

// decide ranks the readings and compares the best with the best of another company.
func (w *weighing) decide() {
	slices.SortStableFunc(w.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(round2(b.score), round2(a.score)), cmp.Compare(a.method.ladder(), b.method.ladder()))
	})
	w.a.Decision = Unknown
	if len(w.found) == 0 {
		w.say("nothing")
		return
	}
	top, next := w.found[0], 0.0
	for _, c := range w.found[1:] {
		if c.rival() != top.rival() {
			next = c.score
			break
		}
	}
	w.listCandidates()
	w.a.Confidence, w.a.Method = round2(top.score), top.method
	lead := round2(top.score) - round2(next)
	clear := round2(lead) >= w.x.s.Lead
	sure := round2(top.score) >= w.x.s.MinConfidence && clear && !w.a.Conflict
	switch {
	case sure && top.unserved != "":
		w.a.Decision = NotServed
		w.say("not_served."+string(top.unserved), "community", w.placeName(top))
	case sure && top.company != "":
		w.a.Decision = Assigned
	case sure:
		w.say("nobody_serves", "community", w.placeName(top))
	case slices.ContainsFunc(w.found, func(c candidate) bool { return c.score >= scoreNearby-0.05 && (c.company != "" || c.unserved != "") }):
		w.a.Decision = Ambiguous
	}
	if w.a.Conflict {
		w.say("conflict")
	}
	if clear && !w.a.Conflict && (w.a.Decision == Assigned || w.a.Decision == Ambiguous) {
		w.a.Company, w.a.Area, w.a.Station = top.company, top.area, top.station
	}
	if top.place >= 0 && !top.vague && (clear || w.onePlace()) {
		w.describe(top)
	}
	if w.a.Decision == Assigned {
		w.say("assigned", "company", w.x.companyName(top.company), "score", percent(top.score), "lead", percent(lead))
	} else if w.a.Decision == Ambiguous && !w.a.Conflict {
		w.say("ambiguous", "score", percent(top.score), "lead", percent(lead), "need", percent(w.x.s.MinConfidence), "need_lead", percent(w.x.s.Lead))
	}
}

func percent(x float64) int { return int(x*100 + 0.5) }

// onePlace reports whether every strong reading is of the same community, only the company being open.
func (w *weighing) onePlace() bool {
	for _, c := range w.found {
		if c.score >= w.found[0].score-0.2 && c.place != w.found[0].place && c.place >= 0 {
			return false
		}
	}
	return true
}

func (w *weighing) placeName(c candidate) string {
	if c.place < 0 {
		return ""
	}
	return w.x.s.Communities[c.place].Name
}

func (w *weighing) place(c candidate) *Place {
	if c.place < 0 {
		return nil
	}
	com := w.x.s.Communities[c.place]
	return &Place{ID: com.ID, Name: com.Name, District: w.x.districtName(c.place), DistrictCode: w.x.districtCode(w.x.places[c.place].district)}
}

// describe fills in what the register knows of the community.
func (w *weighing) describe(c candidate) {
	com := w.x.s.Communities[c.place]
	w.a.Community, w.a.Management = w.place(c), com.Management
	if len(com.Zones) == 1 {
		w.a.Zone = com.Zones[0]
	}
	if c.building != nil {
		w.a.Zone = cmp.Or(c.building.Zone, w.a.Zone)
	}
	if w.known {
		w.a.Zone = cmp.Or(w.house.Zone, w.a.Zone)
		w.a.HeatStatus, w.a.Riser = w.house.HeatStatus, w.house.Riser
	}
}

// mostCandidates are shown; a person cannot choose among more.
const mostCandidates = 8

func (w *weighing) listCandidates() {
	for _, c := range w.found {
		if len(w.a.Candidates) == mostCandidates {
			return
		}
		if c.company == "" && c.place < 0 {
			continue
		}
		w.a.Candidates = append(w.a.Candidates, Candidate{c.company, c.area, w.place(c), round2(c.score), c.why})
	}
}

// warn finds what operators are trained on: the border and the change.
func (w *weighing) warn() {
	if len(w.found) == 0 {
		return
	}
	top := w.found[0]
	note := func(company string) {
		if company != "" && company != top.company && !slices.Contains(w.a.Neighbours, company) {
			w.a.Neighbours = append(w.a.Neighbours, company)
		}
	}
	if p := w.stands(top); !p.IsZero() && top.company != "" {
		w.x.ground.Near(p, w.x.s.Margin, func(i int, _ float64) bool {
			if a := &w.x.s.Areas[i]; a.holds(w.on) {
				note(a.Company)
			}
			return true
		})
		if len(w.a.Neighbours) > 0 {
			w.say("border", "margin", int(w.x.s.Margin))
		}
	}
	for _, c := range w.found[1:] {
		if c.shared {
			note(c.company)
		}
	}
	w.a.Border = len(w.a.Neighbours) > 0 || top.shared
	if top.place >= 0 {
		for _, o := range w.x.places[top.place].confused {
			note(w.x.ownerOf(o, w.on).company)
			w.say("confusable", "community", w.x.s.Communities[o].Name, "district", w.x.districtName(o))
			w.a.Border = true
		}
	}
	slices.Sort(w.a.Neighbours)
	w.warnChange(top)
}

// stands is where the flat lies, as well as is known.
func (w *weighing) stands(c candidate) geo.Point {
	if c.building != nil && !c.building.Point.IsZero() {
		return c.building.Point
	}
	if c.place >= 0 && !w.x.s.Communities[c.place].Point.IsZero() {
		return w.x.s.Communities[c.place].Point
	}
	return w.point
}

func (w *weighing) warnChange(top candidate) {
	var p *Change
	if a := w.x.area(top.area, w.on); a != nil {
		p = a.Previous
	}
	if top.place >= 0 && w.x.s.Communities[top.place].Previous != nil {
		p = w.x.s.Communities[top.place].Previous
	}
	if p == nil || p.From == top.company || p.From == "" || top.company == "" || !w.on.IsZero() && w.on.Before(p.Since) {
		return
	}
	c := *p
	w.a.Changed = &c
	key := "changed"
	if c.Confirmed {
		key = "changed_confirmed"
	}
	w.say(key, "from", w.x.companyName(c.From), "since", c.Since)
}

// finish adds the segments and a live stop.
func (w *weighing) finish() {
	if len(w.found) > 0 {
		top := w.found[0]
		if w.a.Decision == Assigned {
			w.a.Segments = w.segments(top)
		}
		if w.x.s.Outages != nil && w.a.Community != nil {
			if w.a.Outage = w.x.s.Outages(w.a.Community.ID, w.a.Building, w.a.Station); w.a.Outage != nil {
				w.say("outage", "until", w.a.Outage.Until)
			}
		}
	}
	if w.a.HeatStatus != "" && w.a.HeatStatus != HeatOn {
		w.say("heat." + string(w.a.HeatStatus))
	}
	w.a.Explain = w.steps
}

// segments says who owns each stretch, as far as the register tells.
func (w *weighing) segments(top candidate) []Segment {
	name := w.x.companyName(top.company)
	why := func(key string, pairs ...any) text.Message { return text.Msg("territory.segment."+key, pairs...) }
	company := func(s SegmentKind, key string) Segment {
		return Segment{Segment: s, Kind: PartyCompany, Code: top.company, Party: name, Why: why(key)}
	}
	var out []Segment
	if a := w.x.area(top.area, w.on); a != nil && a.Source != "" {
		out = append(out, Segment{Segment: SegmentSource, Kind: PartySource, Party: a.Source, Why: why("source")})
	}
	out = append(out, company(SegmentPrimary, "primary"))
	if top.place >= 0 {
		com := w.x.s.Communities[top.place]
		inside := []SegmentKind{SegmentStation, SegmentYard, SegmentRiser}
		switch com.Management {
		case Direct:
			for _, s := range inside {
				out = append(out, company(s, "direct"))
			}
		case Resold, OwnStation:
			for _, s := range inside {
				out = append(out, Segment{Segment: s, Kind: PartyProperty, Party: com.Property, Why: why(string(com.Management))})
			}
		}
		if on := w.on; com.Developer != "" && !com.WarrantyUntil.IsZero() && !on.IsZero() && !on.After(com.WarrantyUntil) {
			out = warranty(out, com, why("warranty", "until", com.WarrantyUntil))
			return out
		}
	}
	return append(out, Segment{Segment: SegmentIndoor, Kind: PartyUser, Why: why("indoor")})
}

// warranty puts the developer in charge of what lies inside the estate until the warranty ends.
func warranty(out []Segment, com Community, why text.Message) []Segment {
	out = slices.DeleteFunc(out, func(s Segment) bool { return s.Segment == SegmentRiser || s.Segment == SegmentYard })
	for _, s := range []SegmentKind{SegmentYard, SegmentRiser, SegmentIndoor} {
		out = append(out, Segment{Segment: s, Kind: PartyDeveloper, Party: com.Developer, Why: why})
	}
	return out
}
