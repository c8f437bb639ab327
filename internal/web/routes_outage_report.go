package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// outageForm is what a company reports: stations and estates ticked in lists, or typed a line each.
type outageForm struct {
	Company     string        `form:"company"`
	Station     string        `form:"station"` // whose estates are listed
	Kind        outage.Kind   `form:"kind"`
	Reason      string        `form:"reason"`
	Start       civil.Instant `form:"start_at"`
	Until       civil.Instant `form:"until_at"`
	Stations    []string      `form:"stations"`
	Communities []string      `form:"communities"`
	Lines       string        `form:"lines"`
}

// outageFormView is the form with what there is to choose from.
type outageFormView struct {
	names     *caseNames
	city      int
	in        outageForm
	companies []staff.Organisation
	stations  []place.Station
	estates   []place.Community
	form      ui.Form
}

func (w *Web) outageForm(r *http.Request, in outageForm) (outageFormView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := outageFormView{city: city, in: in}
	var err error
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	for _, o := range v.names.companies {
		if reportsFor(by(r), city, o.Code) {
			v.companies = append(v.companies, o)
		}
	}
	if v.in.Company == "" && len(v.companies) == 1 {
		v.in.Company = v.companies[0].Code
	}
	if v.in.Company == "" || !by(r).MayAny(actor.TerritoryRead, city) {
		return v, nil
	}
	if v.stations, err = w.Places.Stations(ctx, by(r), city, v.in.Company); err != nil || v.in.Station == "" {
		return v, err
	}
	list, err := w.Places.Communities(ctx, by(r), city, place.CommunityFilter{Station: v.in.Station, Request: page.Request{Size: page.MaxSize}})
	v.estates = list.Items
	return v, err
}

func outageFormPage(v outageFormView) Page {
	return Page{Title: text.Msg("outagepage.new"), Nav: "outages", Body: newOutageBody(v)}
}

func (w *Web) newOutage(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[outageForm](r)
	if err != nil {
		return err
	}
	v, err := w.outageForm(r, in)
	if err != nil {
		return err
	}
	return w.show(rw, r, outageFormPage(v))
}

// reportOutage keeps a company's report.
func (w *Web) reportOutage(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[outageForm](r)
	var made outage.View
	if err == nil {
		made, err = w.fileStop(r, in)
	}
	if err != nil {
		v, failed := w.outageForm(r, in)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return outageFormPage(v)
		})
	}
	return w.done(rw, r, outagePath(made.City, made.ID), text.Msg("outagepage.reported_as", "no", made.No))
}

func (w *Web) fileStop(r *http.Request, in outageForm) (outage.View, error) {
	out := outage.Report{City: httpx.City(r.Context()), Company: in.Company, Kind: in.Kind, Reason: in.Reason, Start: in.Start, Until: in.Until, Key: formKey(r)}
	said := make([]string, 0, len(in.Stations)+len(in.Communities)) // what each place was called in the form
	add := func(s outage.Scope, words string) { out.Scope, said = append(out.Scope, s), append(said, words) }
	for _, s := range in.Stations {
		add(outage.Scope{Station: s}, s)
	}
	for _, c := range in.Communities {
		add(outage.Scope{Community: c}, c)
	}
	var c fault.Check
	for _, line := range lines(in.Lines) {
		all, key, err := w.placesOfLine(r, in.Company, line)
		if err != nil {
			return outage.View{}, err
		}
		if !c.That(key == "", "lines", key, "line", line) {
			continue
		}
		for _, s := range all {
			add(s, line)
		}
	}
	if err := c.Err(); err != nil {
		return outage.View{}, err
	}
	made, err := w.Outages.Report(r.Context(), by(r), out)
	return made, ofLines(err, said, httpx.Lang(r.Context()))
}

// ofLines says of which line a place is refused.
func ofLines(err error, said []string, l text.Lang) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	var c fault.Check
	for _, f := range fault.Of(err).Fields {
		rest, cut := strings.CutPrefix(f.Name, "scope.")
		if n, bad := strconv.Atoi(rest); cut && bad == nil && n < len(said) {
			c.Add("lines", "outagepage.line_refused", "line", said[n], "why", text.Field(l, f))
			continue
		}
		if f.Name == "scope" {
			f.Name = "lines"
		}
		pairs := make([]any, 0, 2*len(f.Params))
		for k, p := range f.Params {
			pairs = append(pairs, k, p)
		}
		c.Add(f.Name, f.Key, pairs...)
	}
	if out := c.Err(); out != nil {
		return out
	}
	return err
}

// placesOfLine reads a typed line: "向阳花园 3、5号楼", "东城区 幸福里" or "S12 高区". key says what is wrong with it.
func (w *Web) placesOfLine(r *http.Request, company, line string) (all []outage.Scope, key string, err error) {
	parts := words(line)
	if !by(r).MayAny(actor.TerritoryRead, httpx.City(r.Context())) {
		return zonesOf(parts[0], parts[1:]), "", nil
	}
	stations, err := w.Places.Stations(r.Context(), by(r), httpx.City(r.Context()), company)
	if err != nil {
		return nil, "", err
	}
	if i := slices.IndexFunc(stations, func(s place.Station) bool { return s.Code == parts[0] || s.Name == parts[0] }); i >= 0 {
		return zonesOf(stations[i].Code, parts[1:]), "", nil
	}
	estates, parts, err := w.estatesOf(r, parts)
	switch {
	case err != nil:
		return nil, "", err
	case len(estates) == 0:
		return nil, "outagepage.line_unknown", nil
	case len(estates) > 1:
		return nil, "outagepage.line_ambiguous", nil
	case len(parts) == 0:
		return []outage.Scope{{Community: estates[0].ID}}, "", nil
	}
	for _, b := range parts {
		all = append(all, outage.Scope{Community: estates[0].ID, Building: b})
	}
	return all, "", nil
}

func zonesOf(station string, zones []string) []outage.Scope {
	if len(zones) == 0 {
		return []outage.Scope{{Station: station}}
	}
	all := make([]outage.Scope, len(zones))
	for i, z := range zones {
		all[i] = outage.Scope{Station: station, Zone: z}
	}
	return all
}

// estatesOf finds the estates of a name, which a district may precede, and gives back the words after the name.
func (w *Web) estatesOf(r *http.Request, parts []string) ([]place.Community, []string, error) {
	districts, err := w.Places.Districts(r.Context(), by(r), httpx.City(r.Context()))
	if err != nil {
		return nil, nil, err
	}
	f := place.CommunityFilter{Request: page.Request{Size: page.MaxSize}}
	if i := slices.IndexFunc(districts, func(d place.District) bool { return d.Name == parts[0] || d.Code == parts[0] }); i >= 0 && len(parts) > 1 {
		f.District, parts = districts[i].Code, parts[1:]
	}
	f.Query = parts[0]
	list, err := w.Places.Communities(r.Context(), by(r), httpx.City(r.Context()), f)
	named := slices.DeleteFunc(list.Items, func(c place.Community) bool {
		return c.Name != f.Query && c.ID != f.Query && !slices.Contains(c.Aliases, f.Query)
	})
	return named, parts[1:], err
}

// words splits what was typed at spaces, commas and the like.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n,，、;；　", r) })
}

// lines are the lines with something in them.
func lines(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return len(words(l)) == 0 })
}
