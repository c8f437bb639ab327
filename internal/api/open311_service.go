package api

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// The kinds of input that the standard knows and the entry standard needs.
const (
	dataString = "string"
	dataText   = "text"
	dataNumber = "number"
	dataTime   = "datetime"
	dataOne    = "singlevaluelist"
)

// asked is how a field of the entry standard is asked for as an attribute.
type asked struct {
	datatype string
	prefix   string // of the catalogue keys of the values
	values   []string
	set      func(in *cases.Opening, v string) error
}

func word(at func(in *cases.Opening) *string) asked {
	return asked{datatype: dataString, set: func(in *cases.Opening, v string) error {
		*at(in) = v
		return nil
	}}
}

func choice[S ~string](prefix string, values []S, at func(in *cases.Opening) *S) asked {
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = string(v)
	}
	return asked{datatype: dataOne, prefix: prefix, values: keys, set: func(in *cases.Opening, v string) error {
		*at(in) = S(v)
		return nil
	}}
}

// attributes are the fields of the entry standard for which the standard has no argument of its own.
func attributes() map[citypack.EntryField]asked {
	yesNo, known := []string{"yes", "no"}, []string{"yes", "no", "unknown"}
	suspect := word(func(in *cases.Opening) *string { return &in.Details.Suspect })
	suspect.datatype = dataText
	return map[citypack.EntryField]asked{
		citypack.FieldRoom:        word(func(in *cases.Opening) *string { return &in.Room }),
		citypack.FieldAccount:     word(func(in *cases.Opening) *string { return &in.Account }),
		citypack.FieldContact:     word(func(in *cases.Opening) *string { return &in.Contact.Phone }),
		citypack.FieldFloor:       word(func(in *cases.Opening) *string { return &in.Details.Floor }),
		citypack.FieldRooms:       word(func(in *cases.Opening) *string { return &in.Details.Rooms }),
		citypack.FieldSince:       word(func(in *cases.Opening) *string { return &in.Details.Since }),
		citypack.FieldAvailable:   word(func(in *cases.Opening) *string { return &in.Details.Available }),
		citypack.FieldAmount:      word(func(in *cases.Opening) *string { return &in.Details.Amount }),
		citypack.FieldSuspect:     suspect,
		citypack.FieldRelation:    choice("relation.", cases.Relations(), func(in *cases.Opening) *cases.Relation { return &in.Relation }),
		citypack.FieldScope:       choice("scope.", cases.Scopes(), func(in *cases.Opening) *cases.Scope { return &in.Scope }),
		citypack.FieldNature:      choice("nature.", citypack.Natures(), func(in *cases.Opening) *citypack.Nature { return &in.Nature }),
		citypack.FieldPosition:    choice("position.", []string{"top", "bottom", "edge", "middle"}, func(in *cases.Opening) *string { return &in.Details.Position }),
		citypack.FieldHeating:     choice("heating.", []string{"radiator", "floor", "fan_coil"}, func(in *cases.Opening) *string { return &in.Details.Heating }),
		citypack.FieldNeighbours:  choice("yes_no.", known, func(in *cases.Opening) *string { return &in.Details.Neighbours }),
		citypack.FieldPaid:        choice("yes_no.", known, func(in *cases.Opening) *string { return &in.Details.Paid }),
		citypack.FieldLeak:        choice("yes_no.", yesNo, func(in *cases.Opening) *string { return &in.Details.Leak }),
		citypack.FieldCare:        choice("care.", []string{"old", "infant", "ill", "disabled", "place"}, func(in *cases.Opening) *string { return &in.Details.Care }),
		citypack.FieldTestRequest: choice("yes_no.", yesNo, func(in *cases.Opening) *string { return &in.TestRequest }),
		citypack.FieldSecret: {datatype: dataOne, prefix: "yes_no.", values: yesNo, set: func(in *cases.Opening, v string) error {
			in.Secret = v == "yes"
			return nil
		}},
		citypack.FieldTemperature: {datatype: dataNumber, set: func(in *cases.Opening, v string) error {
			t, err := celsius.Parse(v)
			in.Details.Temperature = &t
			return err
		}},
		citypack.FieldTold: {datatype: dataTime, set: func(in *cases.Opening, v string) (err error) {
			in.Details.ToldAt, err = civil.ParseInstant(v)
			return err
		}},
	}
}

// attributesOf lists what the entry standard of the door asks about a category, in the order of the form.
func attributesOf(p *citypack.Pack, cat *citypack.Category, l text.Lang) []attribute {
	required := p.Required(cat, string(citypack.DoorOpen311))
	all := append(slices.Clone(required), p.Recommended(cat, string(citypack.DoorOpen311))...)
	how := attributes()
	out := []attribute{}
	for _, f := range citypack.EntryFields() {
		a, ok := how[f]
		if !ok || !slices.Contains(all, string(f)) {
			continue
		}
		one := attribute{
			Variable: true, Code: string(f), Datatype: a.datatype, Required: slices.Contains(required, string(f)),
			DatatypeDescription: words(text.T(l, "open311.datatype."+a.datatype)), Order: len(out) + 1, Description: text.T(l, "entry."+string(f)),
		}
		if len(a.values) > 0 {
			one.Values = &values{}
		}
		for _, v := range a.values {
			one.Values.List = append(one.Values.List, value{Key: v, Name: text.T(l, a.prefix+v)})
		}
		out = append(out, one)
	}
	return out
}

func (a *API) listServices(c *call) (document, error) {
	list := []service{}
	for _, cat := range c.rules.Pack.Leaves() {
		one := service{
			Code: cat.Code, Name: cat.Name.In(c.lang), Description: words(describe(cat, c.lang)), Type: "realtime",
			Metadata: len(attributesOf(c.rules.Pack, cat, c.lang)) > 0, Keywords: words(strings.Join(cat.Keywords, ",")),
		}
		if up := cat.Parent(); up != nil {
			one.Group = words(up.Name.In(c.lang))
		}
		list = append(list, one)
	}
	return document{json: list, xml: services{Services: list}}, nil
}

// describe puts a category into words: where it stands in the tree.
func describe(cat *citypack.Category, l text.Lang) string {
	if up := cat.Parent(); up != nil {
		return up.Name.In(l) + " · " + cat.Name.In(l)
	}
	return cat.Name.In(l)
}

func (a *API) defineService(c *call) (document, error) {
	cat, err := leaf(c.rules.Pack, c.suffix)
	if err != nil {
		return document{}, err
	}
	d := definition{Code: cat.Code, Attributes: attributed{attributesOf(c.rules.Pack, cat, c.lang)}}
	return document{json: d, xml: d}, nil
}

// leaf finds a category that a case can have.
func leaf(p *citypack.Pack, code string) (*citypack.Category, error) {
	for _, cat := range p.Leaves() {
		if cat.Code == code {
			return cat, nil
		}
	}
	return nil, fault.New(fault.NotFound, "open311.no_service", "code", shown(code))
}
