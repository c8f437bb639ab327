package citypack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

const schemaID = "https://rehu-heat.github.io/schema/city-pack.json"

// Schema is the JSON Schema 2020-12 of a city pack, made from the types that read it.
func Schema() []byte {
	b, err := json.MarshalIndent(schemaTree(), "", "  ")
	if err != nil {
		return nil // a tree of maps and strings can always be written
	}
	return append(b, '\n')
}

func schemaTree() map[string]any {
	b := schemaBuilder{defs: map[string]any{}}
	root := b.object(reflect.TypeFor[Document]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = schemaID
	root["title"] = "Rehu city pack"
	root["$defs"] = b.defs
	return root
}

type enum interface{ values() []string }

type schemaBuilder struct{ defs map[string]any }

func (b schemaBuilder) of(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[civil.Date]():
		return map[string]any{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
	case reflect.TypeFor[celsius.Tenths]():
		return map[string]any{
			"type": []any{"number", "string"}, "multipleOf": json.Number("0.1"),
			"minimum": -60, "maximum": 100, "pattern": `^-?[0-9]+(\.[0-9])?$`,
		}
	case reflect.TypeFor[Decimal]():
		return map[string]any{"type": []any{"number", "string"}, "pattern": `^-?[0-9]+(\.[0-9]+)?$`}
	case reflect.TypeFor[MonthDayTime]():
		return map[string]any{"type": "string", "pattern": `^[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$`}
	case reflect.TypeFor[OptionSet]():
		return b.options()
	}
	if e, ok := reflect.TypeAssert[enum](reflect.Zero(t)); ok {
		return map[string]any{"type": "string", "enum": anys(e.values())}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.of(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": b.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": b.of(t.Elem())}
	case reflect.Struct:
		if strings.Contains(t.Name(), "[") {
			return b.object(t)
		}
		if _, done := b.defs[t.Name()]; !done {
			b.defs[t.Name()] = nil // a type may hold itself
			b.defs[t.Name()] = b.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": "string"}
	}
}

func (b schemaBuilder) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []any{}
	b.fields(t, properties, &required)
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func (b schemaBuilder) fields(t reflect.Type, properties map[string]any, required *[]any) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			b.fields(f.Type, properties, required)
		case !f.IsExported() || f.Tag.Get("pack") == "-":
		default:
			s := b.of(f.Type)
			if tighten(s, f.Tag.Get("pack")) {
				*required = append(*required, name)
			}
			properties[name] = s
		}
	}
}

// tighten adds what a field's tag says to its schema, and reports whether the field is required.
func tighten(s map[string]any, tag string) bool {
	must := false
	for part := range strings.SplitSeq(tag, ",") {
		word, arg, _ := strings.Cut(part, "=")
		at := s
		if items, ok := s["items"].(map[string]any); ok {
			at = items
		}
		switch word {
		case "required":
			must = true
		case "pattern":
			at["pattern"] = arg
		case "enum":
			at["enum"] = anys(strings.Split(arg, "|"))
		case "min":
			at["minimum"] = json.Number(arg)
		case "max":
			at["maximum"] = json.Number(arg)
		}
	}
	return must
}

// options makes the schema of the options: for each field of Options a dated list of values with their source.
func (b schemaBuilder) options() map[string]any {
	properties := map[string]any{}
	for f := range reflect.TypeFor[Options]().Fields() {
		value := b.of(f.Type)
		tighten(value, f.Tag.Get("pack"))
		entry := b.object(reflect.TypeFor[At[string]]())
		entry["properties"].(map[string]any)["value"] = value
		properties[f.Tag.Get("json")] = map[string]any{"type": "array", "items": entry}
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func anys(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaID, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaID)
})

func checkSchema(file string, root *node) []Problem {
	s, err := compiled()
	if err != nil {
		return []Problem{{File: file, Line: 1, Message: text.Msg("pack.syntax", "text", err.Error())}}
	}
	err = s.Validate(root.tree())
	v, ok := err.(*jsonschema.ValidationError) //nolint:errorlint // Validate returns this type itself
	if err == nil || !ok {
		return nil
	}
	var problems []Problem
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			problems = append(problems, schemaProblems(file, root, e)...)
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(v)
	sortProblems(problems)
	return problems
}

func schemaProblems(file string, root *node, e *jsonschema.ValidationError) []Problem {
	at := root.at(e.InstanceLocation)
	key := keyOf(e.InstanceLocation)
	line := at.line
	if n := len(e.InstanceLocation); n > 0 {
		line = root.at(e.InstanceLocation[:n-1]).lineFor(e.InstanceLocation[n-1])
	}
	one := func(key string, line int, message string, pairs ...any) Problem {
		return Problem{File: file, Line: line, Key: key, Message: text.Msg(message, pairs...)}
	}
	var out []Problem
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			out = append(out, one(join(key, name), at.keyLine(name), "pack.unknown_key"))
		}
	case *kind.Required:
		for _, name := range k.Missing {
			out = append(out, one(join(key, name), line, "pack.missing"))
		}
	case *kind.Type:
		out = append(out, one(key, line, "pack.wrong_type", "got", k.Got, "want", strings.Join(k.Want, ", ")))
	case *kind.Enum:
		out = append(out, one(key, line, "pack.not_one_of", "got", fmt.Sprint(k.Got), "want", listOf(k.Want)))
	case *kind.Pattern:
		out = append(out, one(key, line, "pack.bad_form", "got", k.Got, "want", k.Want))
	default:
		out = append(out, one(key, line, "pack.schema", "text", e.ErrorKind.LocalizedString(message.NewPrinter(language.English))))
	}
	return out
}

// lineFor gives the line on which a member of a mapping or a list stands.
func (n *node) lineFor(name string) int {
	if n.kind == sequence {
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i].line
		}
	}
	return n.keyLine(name)
}

func keyOf(pointer []string) string {
	var s strings.Builder
	for _, p := range pointer {
		if _, err := strconv.Atoi(p); err == nil && s.Len() > 0 {
			s.WriteString("[" + p + "]")
			continue
		}
		if s.Len() > 0 {
			s.WriteByte('.')
		}
		s.WriteString(p)
	}
	return s.String()
}

func listOf(list []any) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ", ")
}

// UnmarshalJSON reads a decimal written as a string or as a number, exactly.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	s := string(b)
	if strings.HasPrefix(s, `"`) {
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("read decimal: %w", err)
		}
	}
	*d = Decimal(s)
	return nil
}
