package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// communityPath is the page of a community, or of one of its buildings.
func communityPath(city int, community, building string) string {
	path := at("/c/{city}/places/", city) + url.PathEscape(community)
	if building != "" {
		path += "/" + url.PathEscape(building)
	}
	return path
}

func casesOf(city int, q url.Values) string { return withQuery(at("/c/{city}/cases", city), q) }

// served names the company of a place, or says that nobody serves it.
func (n *caseNames) served(ctx context.Context, company string) string {
	if company == "" {
		return ui.T(ctx, "territorypage.nobody")
	}
	return n.org(ctx, company)
}

func (v communityView) facts(ctx context.Context) []ui.Fact {
	var households int
	for _, b := range v.buildings {
		households += b.Households
	}
	management := ""
	if v.one.Management != "" {
		management = ui.T(ctx, "territorypage.management."+v.one.Management)
	}
	aliases := strings.Join(v.one.Aliases, ui.T(ctx, "web.and"))
	connected := ""
	if !v.one.Connected {
		connected = ui.T(ctx, "territorypage.not_connected")
	}
	return []ui.Fact{
		{Key: "territorypage.company", Text: v.names.served(ctx, v.served.Company)},
		{Key: "territorypage.area", Text: v.served.Area},
		{Key: "territorypage.station", Text: v.station(v.served.Station)},
		{Key: "territorypage.management", Text: management},
		{Key: "territorypage.property", Text: v.one.Property},
		{Key: "territorypage.developer", Text: v.one.Developer},
		{Key: "territorypage.warranty", Text: v.one.WarrantyUntil.String()},
		{Key: "territorypage.connected", Text: connected},
		{Key: "territorypage.district", Text: joinWords(v.names.district(v.one.District), v.street)},
		{Key: "territorypage.address", Text: v.one.Address},
		{Key: "territorypage.aliases", Text: aliases},
		{Key: "territorypage.buildings", Text: strconv.Itoa(len(v.buildings))},
		{Key: "territorypage.households", Text: strconv.Itoa(households)},
	}
}

func joinWords(a, b string) string {
	switch {
	case a == b, b == "":
		return a
	case a == "":
		return b
	}
	return a + " " + b
}

func (v communityView) station(code string) string { return joinWords(code, v.stations[code]) }

// openIn counts the open cases of a building.
func (v communityView) openIn(building string) int {
	n := 0
	for _, c := range v.cases {
		if place.BuildingNo(c.Building) == building {
			n++
		}
	}
	return n
}

// flatState is how a flat is drawn. Its words are "territorypage.flat.<state>" and, for the cell, "….short".
type flatState string

const (
	flatCold    flatState = "cold"
	flatOpen    flatState = "open"
	flatMended  flatState = "mended"
	flatOff     flatState = "suspended"
	flatArrears flatState = "arrears"
	flatNever   flatState = "not_opened"
	flatWaits   flatState = "waiting_valve"
	flatFine    flatState = "on"
	flatUnknown flatState = "unknown"
)

func flatStates() []flatState {
	return []flatState{flatCold, flatOpen, flatMended, flatOff, flatArrears, flatNever, flatWaits, flatFine, flatUnknown}
}

// buildingView is a building in section.
type buildingView struct {
	communityView
	no      string
	homes   []place.Household
	section place.Section
	open    map[string]cases.Case // by account
	ended   map[string]cases.Case
	whole   []cases.Case // open cases of the building that name no flat of the register
	pattern place.Pattern
}

func newBuildingView(base communityView, no string, homes []place.Household) buildingView {
	v := buildingView{communityView: base, no: no, homes: homes, section: place.SectionOf(homes), open: map[string]cases.Case{}, ended: map[string]cases.Case{}}
	for _, c := range base.cases {
		if place.BuildingNo(c.Building) != no {
			continue
		}
		account := v.flatOf(c)
		if account == "" {
			v.whole = append(v.whole, c)
		} else if had, ok := v.open[account]; !ok || v.cold(c) && !v.cold(had) {
			v.open[account] = c
		}
	}
	for _, c := range base.ended {
		if account := v.flatOf(c); account != "" && place.BuildingNo(c.Building) == no && v.ended[account].ClosedAt < c.ClosedAt {
			v.ended[account] = c
		}
	}
	v.pattern = v.section.Pattern(func(account string) bool { return v.state(account, "") == flatCold })
	return v
}

// flatOf finds the flat of a case: by its account, else by unit and room where they name one flat only.
func (v buildingView) flatOf(c cases.Case) string {
	found, room := "", place.RoomNo(c.Room)
	for _, h := range v.homes {
		switch {
		case c.Account != "" && h.Account == c.Account:
			return h.Account
		case room == "" || h.Room != room || c.Unit != "" && h.Unit != place.UnitNo(c.Unit):
		case found != "":
			return ""
		default:
			found = h.Account
		}
	}
	return found
}

// cold reports whether a case is about the quality of heat, as against bills, leaks or consultation.
func (v buildingView) cold(c cases.Case) bool {
	category, ok := v.names.rules.Pack.Category(c.Category)
	return ok && category.Kind == citypack.KindQuality
}

// state is how a flat is drawn: what is open comes before what the register says.
func (v buildingView) state(account, heat string) flatState {
	if c, ok := v.open[account]; ok {
		if v.cold(c) {
			return flatCold
		}
		return flatOpen
	}
	if _, ok := v.ended[account]; ok {
		return flatMended
	}
	switch territory.HeatStatus(heat) {
	case territory.HeatOn:
		return flatFine
	case territory.HeatSuspended, territory.HeatArrears, territory.HeatNotOpened, territory.HeatWaitingValve:
		return flatState(heat)
	}
	return flatUnknown
}

// href leads from a flat to its case, or to its line in the table below.
func (v buildingView) href(account string) string {
	if c, ok := v.open[account]; ok {
		return at("/c/{city}/cases/"+c.ID, v.city)
	}
	if c, ok := v.ended[account]; ok {
		return at("/c/{city}/cases/"+c.ID, v.city)
	}
	return "#h-" + account
}

// shown are the states that occur, for the legend.
func (v buildingView) shown() map[flatState]int {
	out := map[flatState]int{}
	for _, h := range v.homes {
		out[v.state(h.Account, h.HeatStatus)]++
	}
	return out
}

// said is a flat in words, for those who hear the drawing.
func (v buildingView) said(ctx context.Context, unit string, flat place.Account) string {
	return ui.T(ctx, "territorypage.flat_said", "unit", unit, "room", flat.Room, "state", ui.T(ctx, "territorypage.flat."+string(v.state(flat.Account, flat.HeatStatus))))
}
