package api

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// postRequest takes a report in. Address of the device, e-mail and account of the sender's own system are read and not
// kept: nothing here is done with them.
func (a *API) postRequest(c *call) (document, error) {
	if !c.keyed {
		return document{}, fault.New(fault.Denied, "open311.no_key")
	}
	in, err := a.report(c)
	if err != nil {
		return document{}, err
	}
	opened, err := a.Cases.Open(c.r.Context(), c.by, in)
	if err != nil {
		return document{}, argumentNames(err)
	}
	list := []receipt{{ID: opened.Case.No, Notice: words(notice(opened, c.lang))}}
	return document{json: list, xml: receipts{Requests: list}}, nil
}

// notice tells the reporter what comes next.
func notice(o cases.Opened, l text.Lang) string {
	key := "open311.notice_taken"
	if o.Dispatched {
		key = "open311.notice_dispatched"
	}
	return text.T(l, key, "no", o.Case.No)
}

// report reads the arguments into the input of intake.
func (a *API) report(c *call) (cases.Opening, error) {
	code := c.arg("service_code")
	if code == "" {
		return cases.Opening{}, refuse("service_code", "field.required")
	}
	cat, err := leaf(c.rules.Pack, code)
	if err != nil {
		return cases.Opening{}, err
	}
	in := cases.Opening{
		City: c.city, Door: citypack.DoorOpen311, Channel: cases.OpenAPI, Category: cat.Code, Text: c.arg("description"),
		Caller:  cases.Party{Name: fullName(c.arg("first_name"), c.arg("last_name")), Phone: c.arg("phone")},
		Address: c.arg("address_string"), Community: c.arg("address_id"), Key: c.r.Header.Get("Idempotency-Key"),
	}
	var check fault.Check
	a.where(c, &in, &check)
	in.Details.Media = mediaURL(c.arg("media_url"), &check)
	answers(c, cat, &in, &check)
	check.That(in.Text != "", "description", "field.required")
	return in, check.Err()
}

// where reads the place: a point, an address or a community of the register; one of them must be there.
func (a *API) where(c *call, in *cases.Opening, check *fault.Check) {
	lat, long := c.arg("lat"), c.arg("long")
	if lat != "" || long != "" {
		in.Lat = coordinate("lat", lat, 90, check)
		in.Lng = coordinate("long", long, 180, check)
	}
	if in.Community != "" {
		_, err := a.Places.Community(c.r.Context(), public(), c.city, in.Community)
		check.That(err == nil, "address_id", "open311.no_address_id")
	}
	if in.Address == "" && in.Community == "" && lat == "" && long == "" {
		check.Add("lat", "open311.where")
	}
}

func coordinate(name, s string, most float64, check *fault.Check) *float64 {
	if !check.That(s != "", name, "field.required") {
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if !check.That(err == nil && !math.IsNaN(v), name, "field.not_a_number") ||
		!check.That(math.Abs(v) <= most, name, "field.out_of_range", "min", -most, "max", most) {
		return nil
	}
	return &v
}

// mediaURL keeps an address on the web as a text. It is never fetched: a server that fetches what strangers name can be
// sent anywhere.
func mediaURL(s string, check *fault.Check) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	check.That(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "media_url", "open311.bad_url")
	return s
}

// answers reads attribute[code]=value as the definition of the service asks for it.
func answers(c *call, cat *citypack.Category, in *cases.Opening, check *fault.Check) {
	how := attributes()
	known := attributesOf(c.rules.Pack, cat, c.lang)
	for name, all := range c.args {
		code, ok := attributeCode(name)
		if !ok {
			continue
		}
		if !slices.ContainsFunc(known, func(k attribute) bool { return k.Code == code }) {
			check.Add(shown(name), "field.unknown", "name", shown(code))
			continue
		}
		if len(all) > 1 {
			check.Add("attribute["+code+"]", "httpx.field_twice")
			continue
		}
		if v := strings.TrimSpace(all[0]); v != "" {
			answerOne(code, v, how[citypack.EntryField(code)], in, check)
		}
	}
	for _, k := range known {
		if k.Required && strings.TrimSpace(c.args.Get("attribute["+k.Code+"]")+c.args.Get("attribute["+k.Code+"][]")) == "" {
			check.Add("attribute["+k.Code+"]", "field.required")
		}
	}
}

func answerOne(code, v string, how asked, in *cases.Opening, check *fault.Check) {
	name := "attribute[" + code + "]"
	if len(how.values) > 0 && !slices.Contains(how.values, v) {
		check.Add(name, "field.not_one_of", "allowed", strings.Join(how.values, ", "))
		return
	}
	if err := how.set(in, v); err != nil {
		key := "field.not_a_number"
		if how.datatype == dataTime {
			key = "field.not_a_time"
		}
		check.Add(name, key)
	}
}

// attributeCode reads "attribute[since]" and "attribute[since][]".
func attributeCode(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "attribute[")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(strings.TrimSuffix(rest, "[]"), "]")
}

// fullName joins the two parts of a name as the language of the name does.
func fullName(first, last string) string {
	if first == "" || last == "" {
		return first + last
	}
	if strings.ContainsFunc(first+last, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return last + first
	}
	return first + " " + last
}

// argumentNames gives the faults of intake the names that the standard has for the fields.
func argumentNames(err error) error {
	f := fault.Of(err)
	if f.Kind != fault.Invalid || len(f.Fields) == 0 {
		return err
	}
	names := map[string]string{
		"text": "description", "category": "service_code", "caller.phone": "phone", "caller.name": "first_name", "address": "address_string",
		"community": "address_id", "lng": "long", "details.media_url": "media_url", "photo": "media_url",
	}
	for code := range attributes() {
		names[cases.FieldName(string(code))] = "attribute[" + string(code) + "]"
	}
	var check fault.Check
	for _, field := range f.Fields {
		name, ok := names[field.Name]
		if !ok {
			name = field.Name
		}
		pairs := make([]any, 0, 2*len(field.Params))
		for k, v := range field.Params {
			pairs = append(pairs, k, v)
		}
		check.Add(name, field.Key, pairs...)
	}
	return check.Err()
}

// agencies gives the names of the companies by their codes.
func (a *API) agencies(ctx context.Context, city int) (map[string]string, error) {
	list, err := a.Places.Companies(ctx, actor.SystemFor("open311", actor.Open311), city)
	out := make(map[string]string, len(list))
	for _, c := range list {
		out[c.Code] = c.Name
	}
	return out, err
}
