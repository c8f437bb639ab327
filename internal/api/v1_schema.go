package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// inst, day, tenth and fen say in OpenAPI how our values are written.
type (
	inst  struct{}
	day   struct{}
	tenth struct{}
	fen   struct{}
)

// Schema describes civil.Instant.
func (inst) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true, Examples: []any{"2026-01-15T08:00:00+08:00"}}
}

// Schema describes civil.Date.
func (day) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Nullable: true, Examples: []any{"2026-01-15"}}
}

// Schema describes celsius.Tenths.
func (tenth) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^-?\d+(\.\d)?$`, Examples: []any{"17.9"}}
}

// Schema describes money.Fen.
func (fen) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^-?\d+(\.\d{1,2})?$`, Examples: []any{"95.04"}}
}

// Attribution describes territory.Answer, which writes itself.
type Attribution struct {
	Decision   territory.Decision `json:"decision"`
	Company    *string            `json:"company"`
	Area       *string            `json:"area"`
	Community  *named             `json:"community"`
	Building   *string            `json:"building"`
	Unit       *string            `json:"unit"`
	Room       *string            `json:"room"`
	Method     *string            `json:"method"`
	Confidence float64            `json:"confidence"`
	Conflict   bool               `json:"conflict"`
	Border     bool               `json:"border"`
	Neighbours []string           `json:"neighbours"`
	Changed    *changed           `json:"changed"`
	Management *string            `json:"management"`
	Station    *string            `json:"station"`
	Zone       *string            `json:"zone"`
	HeatStatus *string            `json:"heat_status"`
	Segments   []segment          `json:"segments"`
	Outage     *territory.Outage  `json:"outage"`
	Candidates []candidate        `json:"candidates"`
	Explain    []said             `json:"explain"`
}

type named struct {
	Name     string  `json:"name"`
	District *string `json:"district"`
}

type changed struct {
	From      string     `json:"from"`
	Since     civil.Date `json:"since"`
	Confirmed bool       `json:"confirmed"`
}

type segment struct {
	Segment string  `json:"segment"`
	Party   string  `json:"party"`
	Why     string  `json:"why"`
	Kind    string  `json:"kind"`
	Company *string `json:"company"`
	WhyEN   string  `json:"why_en"`
}

type candidate struct {
	Company   *string `json:"company"`
	Area      *string `json:"area"`
	Community *named  `json:"community"`
	Score     float64 `json:"score"`
	Why       string  `json:"why"`
	WhyEN     string  `json:"why_en"`
}

// said is one sentence of an explanation in both languages.
type said struct {
	ZH      string `json:"zh"`
	EN      string `json:"en"`
	Article string `json:"article,omitempty"`
}

// schemas makes the OpenAPI document.
type schemas struct {
	all    huma.Registry
	inputs []*huma.Schema
}

func newSchemas() *schemas {
	all := huma.NewMapRegistry("#/components/schemas/", schemaName)
	all.RegisterTypeAlias(reflect.TypeFor[civil.Instant](), reflect.TypeFor[inst]())
	all.RegisterTypeAlias(reflect.TypeFor[civil.Date](), reflect.TypeFor[day]())
	all.RegisterTypeAlias(reflect.TypeFor[celsius.Tenths](), reflect.TypeFor[tenth]())
	all.RegisterTypeAlias(reflect.TypeFor[money.Fen](), reflect.TypeFor[fen]())
	all.RegisterTypeAlias(reflect.TypeFor[calendar.Step](), reflect.TypeFor[said]())
	all.RegisterTypeAlias(reflect.TypeFor[territory.Answer](), reflect.TypeFor[Attribution]())
	return &schemas{all: all}
}

// schemaName names a type with its package: two capabilities may have a type of the same name.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	pkg = pkg[strings.LastIndex(pkg, "/")+1:]
	name := t.Name()
	if i := strings.Index(name, "["); i >= 0 { // page.Of[…/cases.Case]
		inner := strings.TrimSuffix(name[i+1:], "]")
		name = name[:i] + "." + inner[strings.LastIndex(inner, "/")+1:]
	}
	if name == "" {
		return hint
	}
	return strings.TrimPrefix(pkg+"."+name, "api.")
}

func (s *schemas) config() huma.Config {
	return huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: text.T(text.EN, "api.title"), Version: "1", Description: text.T(text.EN, "api.about")},
		Components: &huma.Components{Schemas: s.all, SecuritySchemes: map[string]*huma.SecurityScheme{
			"key":      {Type: "http", Scheme: "bearer", BearerFormat: "rhk_…", Description: text.T(text.EN, "api.security_key")},
			"resident": {Type: "http", Scheme: "bearer", Description: text.T(text.EN, "api.security_resident")},
			"session":  {Type: "apiKey", In: "cookie", Name: "rehu_session", Description: text.T(text.EN, "api.security_session")},
		}},
	}}
}

// describe gives an operation its name, its parameters in the address, who may use it, and how it fails.
func (s *schemas) describe(doc *huma.Operation, o Operation) {
	key := o.say
	if key == "" {
		key = "api.op." + o.Name
	}
	doc.Summary, doc.Description, doc.Tags = text.T(text.EN, key), text.T(text.ZH, key), []string{o.tag}
	var inPath []*huma.Param
	for part := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			kind := huma.TypeString
			if name == "city" {
				kind = huma.TypeInteger
			}
			inPath = append(inPath, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: kind}})
		}
	}
	doc.Parameters = append(inPath, doc.Parameters...)
	doc.Security = []map[string][]string{{"key": {}}}
	switch {
	case o.Open:
		doc.Security = []map[string][]string{}
	case o.Resident:
		doc.Security = []map[string][]string{{"resident": {}}}
	case o.Method == http.MethodGet:
		doc.Security = append(doc.Security, map[string][]string{"session": {}})
	}
	if o.Method != http.MethodGet {
		doc.Parameters = append(doc.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString}})
	}
	doc.Responses["default"] = &huma.Response{
		Description: text.T(text.EN, "api.failed"),
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: s.all.Schema(reflect.TypeFor[httpx.Problem](), true, "")}},
	}
	if len(o.Permissions) > 0 {
		names := make([]string, len(o.Permissions))
		for i, p := range o.Permissions {
			names[i] = string(p)
		}
		doc.Extensions = map[string]any{"x-permissions": names}
	}
}

func (s *schemas) answer(doc *huma.Operation, out reflect.Type, status int) {
	doc.Responses = map[string]*huma.Response{strconv.Itoa(status): {
		Description: text.T(text.EN, "api.done"),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: s.all.Schema(out, true, "")}},
	}}
}

func (s *schemas) body(doc *huma.Operation, in reflect.Type, photos bool) {
	of := s.all.Schema(in, true, "")
	s.inputs = append(s.inputs, of)
	doc.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: of}}}
	if photos {
		doc.RequestBody.Content["multipart/form-data"] = photoForm(of)
	}
}

// photoForm is a form of an input and photographs.
func photoForm(of *huma.Schema) *huma.MediaType {
	files := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	form := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"photos": files}}
	if of != nil {
		form.Properties["json"] = of
	}
	return &huma.MediaType{Schema: form}
}

// parameters lists the fields of a query, as httpx.Bind reads them.
func (s *schemas) parameters(q reflect.Type) []*huma.Param {
	var out []*huma.Param
	for f := range q.Fields() {
		name, tagged := f.Tag.Lookup("form")
		switch {
		case name == "-":
		case f.Anonymous && !tagged:
			out = append(out, s.parameters(f.Type)...)
		case tagged:
			of := s.all.Schema(f.Type, true, f.Name)
			of.Nullable = false // an empty parameter is none
			out = append(out, &huma.Param{Name: name, In: "query", Schema: of})
		}
	}
	return out
}

// settle loosens what the generator assumes: no field of an input must be there unless the use case says so, and answers
// may get further fields.
func (s *schemas) settle() {
	strict := map[*huma.Schema]bool{}
	for _, in := range s.inputs {
		s.walk(in, strict)
	}
	for _, one := range s.all.Map() {
		if strict[one] {
			one.Required = nil
			continue
		}
		if allowed, ok := one.AdditionalProperties.(bool); ok && !allowed {
			one.AdditionalProperties = nil
		}
	}
}

// walk marks every schema that an input leads to.
func (s *schemas) walk(of *huma.Schema, seen map[*huma.Schema]bool) {
	if of == nil {
		return
	}
	if of.Ref != "" {
		of = s.all.SchemaFromRef(of.Ref)
	}
	if of == nil || seen[of] {
		return
	}
	seen[of] = true
	s.walk(of.Items, seen)
	for _, p := range of.Properties {
		s.walk(p, seen)
	}
}

// serveDocument offers the OpenAPI document to anybody. It is made once.
func (v *v1) serveDocument(r chi.Router) {
	v.about.settle()
	slices.SortFunc(v.operations, func(x, y Operation) int { return strings.Compare(x.Path+x.Method, y.Path+y.Method) })
	asJSON, err := json.Marshal(v.doc.OpenAPI())
	asYAML, err2 := v.doc.OpenAPI().YAML()
	if err != nil || err2 != nil {
		panic("api: the OpenAPI document cannot be written") // it is made of our types alone: the first test meets it
	}
	for path, one := range map[string]struct {
		kind string
		body []byte
	}{"/openapi.json": {"application/openapi+json", asJSON}, "/openapi.yaml": {"application/openapi+yaml", asYAML}} {
		r.Get(Prefix+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", one.kind)
			w.Header().Set("Access-Control-Allow-Origin", "*")
			_, _ = w.Write(one.body) // the client is gone: nobody to tell
		})
	}
}
