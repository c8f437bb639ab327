package register

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
)

func sortStrings(s []string) { slices.Sort(s) }

// companies reads the list of supply units.
type companies struct {
	base
	seen map[string]place.Company // of the file, for the organisations that mirror them
}

func (companies) columns() []sheet.Column { return companyColumns }

func (l companies) read(r record, n *notes) []out {
	code := key(n, r, "code")
	if code != "" && !orgCode.MatchString(code) {
		n.fault(r.no, "code", "staff.bad_org_code")
	}
	before := l.k.companies[code]
	c := place.Company{
		Code: code, Name: r.or("name", before.Name), Phone: r.or("phone", before.Phone), Licence: r.or("licence", before.Licence),
		Kind: place.CompanyKind(oneOf(n, r, "kind", r.or("kind", string(before.Kind)), companyKinds)), LicenceUntil: before.LicenceUntil,
	}
	if c.Name == "" {
		c.Name = code
	}
	if c.Kind == "" {
		c.Kind = place.HeatingCompany
	}
	if r.x.Has("licence_until") {
		c.LicenceUntil = day(n, r, "licence_until", r.get("licence_until"))
	}
	phoneCell(n, r, "phone", c.Phone)
	l.seen[code] = c
	return []out{{"company", code, []string{c.Code, c.Name, string(c.Kind), c.Phone, c.Licence, c.LicenceUntil.String()}, &c}}
}

// phoneCell warns of a number that cannot be dialled: the list is not the place to argue about it.
func phoneCell(n *notes, r record, column, phone string) {
	if phone != "" && !slices.ContainsFunc(phones(phone), place.MayDial) {
		n.warn(r.no, column, "place.bad_phone")
	}
}

// duty reads duty rosters; a company may send its own.
type duty struct {
	base
	by   actor.Actor
	only bool // the actor may edit rosters, not import lists
}

func (duty) columns() []sheet.Column { return dutyColumns }

func (l duty) read(r record, n *notes) []out {
	s := place.Shift{
		Company: key(n, r, "company"), Station: r.get("station"), Name: r.get("name"), Phone: r.get("phone"), Backup: r.get("backup"), Leader: r.get("leader"),
	}
	if key(n, r, "from") != "" {
		s.At = instant(n, r, "from", r.get("from"))
	}
	s.To = instant(n, r, "to", r.get("to"))
	if l.k.company(n, r, s.Company) && l.only {
		if err := l.by.May(actor.DutyEdit, actor.On{City: l.k.city, Company: s.Company, Station: s.Station}); err != nil {
			n.fault(r.no, "company", "denied.scope")
		}
	}
	if !s.To.IsZero() && !s.To.After(s.At) {
		n.fault(r.no, "to", "place.shift_ends_first")
	}
	phoneCell(n, r, "phone", s.Phone)
	l.k.station(s.Station, s.Company)
	return []out{{"duty", s.KeyOf(), s.Values(), &s}}
}

// household is a household on its way into the register; holder and telephone are sealed when it is written.
type household struct {
	place.HouseholdRow
	holder, phone string
}

// households reads the companies' lists of heat users.
type households struct {
	base
	before map[string]household // what is kept of the accounts of this batch, where the file lacks columns
}

func (*households) columns() []sheet.Column { return householdColumns }

// partial reports whether a file lacks columns: it then changes only those it has.
func partial(x sheet.Index) bool {
	for _, c := range householdColumns {
		if !x.Has(c.Name) && c.Name != "district" {
			return true
		}
	}
	return false
}

func (l *households) read(r record, n *notes) []out {
	account := key(n, r, "account")
	h := l.before[account]
	h.Account = account
	if r.x.Has("community") {
		h.Community = ""
		if c, ok := l.k.community(n, r); ok {
			h.Community = c.ID
		}
	}
	h.Building, h.Unit = place.BuildingNo(r.or("building", h.Building)), place.UnitNo(r.or("unit", h.Unit))
	h.Room = place.RoomNo(r.or("room", h.Room))
	h.Floor = place.FloorOf(h.Room)
	h.holder, h.phone = r.or("holder", h.holder), r.or("phone", h.phone)
	if r.x.Has("area_m2") {
		h.AreaM2 = number(n, r, "area_m2", r.get("area_m2"))
	}
	h.UseType, h.PriceClass = r.or("use_type", h.UseType), r.or("price_class", h.PriceClass)
	h.HeatStatus = oneOf(n, r, "heat_status", r.or("heat_status", h.HeatStatus), heatStatuses)
	h.Paid = oneOf(n, r, "paid", r.or("paid", h.Paid), payments)
	h.Station, h.Zone, h.Riser = r.or("station", h.Station), r.or("zone", h.Zone), r.or("riser", h.Riser)
	within(n, r, householdColumns)
	phoneCell(n, r, "phone", h.phone)
	l.k.station(h.Station, "", h.Zone)
	values := []string{
		h.Account, h.Community, h.Building, h.Unit, h.Room, h.holder, h.phone, h.AreaM2, h.UseType, h.PriceClass, h.HeatStatus, h.Paid, h.Station, h.Zone, h.Riser,
	}
	return []out{{"household", account, values, &h}}
}
