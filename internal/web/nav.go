package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// entry is a page in the navigation. It shows to those who may use its route, once that route exists.
type entry struct {
	Name    string // the page says it is this one (Page.Nav); its label is "nav.<name>"
	Pattern string // of the GET route
}

// area is an entry of the rail with the pages behind it, which become tabs when there are several. Its label is
// "nav.<name>".
type area struct {
	Name, Icon string
	Pages      []entry
}

// areas is the navigation of staff. The first four a person may use are the tabs on a telephone.
func areas() []area {
	return []area{
		{"seat", "headphones", []entry{{"seat", "/c/{city}/seat"}, {"quick", quickPath}, {"calls", "/c/{city}/calls"}, {"call_list", "/c/{city}/calls/list"}, {"call_backs", "/c/{city}/call-backs"}, {"staffing", "/c/{city}/staffing"}}},
		{"cases", "list-checks", []entry{{"cases", "/c/{city}/cases"}, {"requests", "/c/{city}/requests"}, {"verify", "/c/{city}/verify"}, {"callbacks", "/c/{city}/callbacks"}, {"samples", samplesPath}, {"clues", "/c/{city}/clues"}, {"handover", "/c/{city}/handover"}, {"incidents", "/c/{city}/incidents"}, {"bindings", "/c/{city}/bindings"}}},
		{"company", "building-2", []entry{{"company", "/c/{city}/company"}, {"duty", "/c/{city}/duty"}, {"claims", "/c/{city}/claims"}}},
		{"field", "wrench", []entry{{"field", "/f/{city}"}}},
		{"outages", "siren", []entry{{"outages", "/c/{city}/outages"}}},
		{"map", "map", []entry{{"map", "/c/{city}/map"}, {"territory", "/c/{city}/territory"}, {"places", "/c/{city}/places"}}},
		{"measure", "thermometer", []entry{{"measure", "/c/{city}/measurements"}, {"measure_week", "/c/{city}/measurements/calendar"}, {"findings", "/c/{city}/findings"}}},
		{"refund", "file-text", []entry{{"refund", "/c/{city}/refunds"}, {"bills", billList}, {"exposure", "/c/{city}/refunds/exposure"}, {"settle", "/c/{city}/settle"}, {"payouts", "/c/{city}/settle/payouts"}, {"banks", "/c/{city}/settle/banks"}, {"overdue", "/c/{city}/settle/overdue"}, {"refund_areas", "/c/{city}/settle/areas"}}},
		{"messages", "message-square", []entry{{"messages", "/c/{city}/messages"}, {"bulletins", "/c/{city}/bulletins"}, {"wordings", "/c/{city}/messages/wordings"}}},
		{"exchange", "send", []entry{{"platforms", "/c/{city}/platforms"}, {"tickets", "/c/{city}/tickets"}, {"hotlines", "/c/{city}/hotlines"}}},
		{"knowledge", "book-open", []entry{{"knowledge", "/c/{city}/knowledge"}, {"training", "/c/{city}/training"}}},
		{"stats", "chart-column", []entry{{"stats", "/c/{city}/stats"}, {"satisfaction", satisfactionPath}, {"wall", "/c/{city}/wall"}}},
		{"inspect", "scale", []entry{{"inspect", "/c/{city}/inspect"}}},
		{"rules", "scroll-text", []entry{{"pack", "/c/{city}/pack"}, {"refund_rules", "/c/{city}/pack/refunds"}, {"season", "/c/{city}/season"}, {"calendar", "/c/{city}/calendar"}}},
		{"admin", "settings", []entry{{"people", "/c/{city}/people"}, {"orgs", "/c/{city}/orgs"}, {"keys", "/c/{city}/keys"}, {"webhooks", "/c/{city}/webhooks"}, {"audit", "/c/{city}/audit"}, {"channels", "/c/{city}/channels"}, {"jobs", "/c/{city}/jobs"}}},
	}
}

// startPages is where each role begins, best first.
func startPages(r actor.Role) []string {
	switch r {
	case actor.RoleSeat, actor.RoleLiaison:
		return []string{"/c/{city}/seat", "/c/{city}/cases"}
	case actor.RoleVerifier:
		return []string{"/c/{city}/verify", "/c/{city}/cases"}
	case actor.RoleDispatcher, actor.RoleLeader, actor.RoleSectionHead, actor.RoleSupervisor, actor.RoleDistrict:
		return []string{"/c/{city}/cases"}
	case actor.RoleCompany, actor.RoleStation:
		return []string{"/c/{city}/company", "/c/{city}/cases"}
	case actor.RoleWorker:
		return []string{"/f/{city}", "/c/{city}/company"}
	case actor.RoleRegulator:
		return []string{"/c/{city}/stats", "/c/{city}/cases"}
	case actor.RoleKnowledge:
		return []string{"/c/{city}/knowledge"}
	case actor.RoleInspector:
		return []string{"/c/{city}/inspect", "/c/{city}/cases"}
	case actor.RoleAdmin:
		return []string{"/c/{city}/people"}
	case actor.RolePartner, actor.RoleResident, actor.RoleSystem: // never log in here
	}
	return nil
}

// at fills a city into a pattern.
func at(pattern string, city int) string {
	return strings.ReplaceAll(pattern, "{city}", strconv.Itoa(city))
}

// open reports whether the actor may use the page behind a pattern.
func (w *Web) open(by actor.Actor, pattern string, city int) bool {
	r, ok := w.known[pattern]
	return ok && r.Access.allows(by, city) == nil
}

// nav is the rail and the tabs as the actor sees them on the page called now.
func (w *Web) nav(by actor.Actor, city int, now string) (rail, tabs []ui.Link) {
	if city == 0 {
		return nil, nil
	}
	for _, a := range areas() {
		var pages []ui.Link
		current := false
		for _, e := range a.Pages {
			if !w.open(by, e.Pattern, city) {
				continue
			}
			current = current || e.Name == now
			pages = append(pages, ui.Link{Key: "nav." + e.Name, Href: at(e.Pattern, city), Current: e.Name == now})
		}
		if len(pages) == 0 {
			continue
		}
		rail = append(rail, ui.Link{Key: "nav." + a.Name, Icon: a.Icon, Href: pages[0].Href, Current: current})
		if current {
			tabs = pages
		}
	}
	return rail, tabs
}

// home is the page where somebody begins.
func (w *Web) home(r *http.Request) string {
	by := httpx.Actor(r.Context())
	city := w.homeCity(r)
	if city == 0 {
		return "/cities"
	}
	for _, g := range by.Grants {
		for _, p := range startPages(g.Role) {
			if w.open(by, p, city) {
				return at(p, city)
			}
		}
	}
	return at("/c/{city}/all", city)
}

// homeCity is the city of the address, the only one, or the only one the actor has anything to do with; 0 when there is a
// choice.
func (w *Web) homeCity(r *http.Request) int {
	if c := httpx.City(r.Context()); c != 0 {
		return c
	}
	mine := w.cityChoice(httpx.Actor(r.Context()))
	if len(mine) == 1 {
		return mine[0].Code
	}
	return 0
}

// cityChoice lists the cities in which somebody holds a grant.
func (w *Web) cityChoice(by actor.Actor) []City {
	var out []City
	for _, c := range w.o.Cities() {
		for _, g := range by.Grants {
			if g.City == 0 || g.City == c.Code {
				out = append(out, c)
				break
			}
		}
	}
	return out
}
