package jsonl

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// mostFaults bounds how many faults of one line are told.
const mostFaults = 20

// Decode reads one line into a struct by its json tags and names the field of everything that is wrong: unknown fields,
// names given twice or in other capitals, wrong types, and what a type's own UnmarshalJSON refuses (a fault there is
// shown as it is). The id of the line belongs to Run; a struct need not have it.
func Decode[T any](raw json.RawMessage) (T, error) {
	var v T
	d := decoder{}
	d.value(raw, reflect.ValueOf(&v).Elem(), "")
	return v, d.check.Err()
}

type decoder struct {
	check fault.Check
	count int
}

func (d *decoder) add(path, key string, pairs ...any) {
	if d.count++; d.count <= mostFaults {
		d.check.Add(path, key, pairs...)
	}
}

// value decodes one value; path is its name, empty for the line itself.
func (d *decoder) value(raw json.RawMessage, v reflect.Value, path string) {
	if d.count >= mostFaults {
		return
	}
	raw = bytes.TrimSpace(raw)
	if v.Kind() == reflect.Pointer {
		if string(raw) == "null" {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(raw, v.Elem(), path)
		return
	}
	switch own := v.Addr().Interface().(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler:
		if err := json.Unmarshal(raw, own); err != nil {
			d.refused(path, err)
		}
		return
	}
	k := v.Kind()
	if k == reflect.Struct {
		d.object(raw, v, path)
		return
	}
	if k == reflect.Map {
		d.mapping(raw, v, path)
		return
	}
	if k == reflect.Slice || k == reflect.Array {
		d.list(raw, v, path)
		return
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		d.add(path, "jsonl.wrong_type", "want", want(k))
	}
}

// refused tells what a type's own reader said.
func (d *decoder) refused(path string, err error) {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && len(f.Fields) > 0:
		for _, one := range f.Fields {
			d.addField(join(path, one.Name), one)
		}
	case ok:
		d.addField(path, fault.Field{Key: f.Key, Params: f.Params})
	default:
		d.add(path, "jsonl.bad_value", "text", err.Error())
	}
}

func (d *decoder) addField(path string, f fault.Field) {
	var pairs []any
	for name, v := range f.Params {
		pairs = append(pairs, name, v)
	}
	d.add(path, f.Key, pairs...)
}

func (d *decoder) object(raw json.RawMessage, v reflect.Value, path string) {
	if string(raw) == "null" {
		return
	}
	list, err := members(raw)
	if err != nil {
		d.add(path, "jsonl.wrong_type", "want", want(reflect.Struct))
		return
	}
	known := map[string]reflect.Value{}
	fields(v, known)
	seen := make(map[string]bool, len(list))
	for _, m := range list {
		at := join(path, m.name)
		to, ok := known[m.name]
		switch {
		case seen[m.name]:
			d.add(at, "jsonl.twice")
		case ok:
			d.value(m.value, to, at)
		case path != "" || m.name != "id":
			d.add(at, "field.unknown", "name", m.name)
		}
		seen[m.name] = true
	}
}

// fields lists the fields of a struct by their JSON names, those of embedded structs included.
func fields(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			fields(v.Field(i), into)
		case !f.IsExported() || name == "-":
		case name == "":
			into[f.Name] = v.Field(i)
		default:
			into[name] = v.Field(i)
		}
	}
}

// list decodes a slice of any length, or an array of exactly its own.
func (d *decoder) list(raw json.RawMessage, v reflect.Value, path string) {
	elements, ok := d.elements(raw, path)
	if !ok {
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	}
	if len(elements) != v.Len() {
		d.add(path, "jsonl.wrong_length", "want", v.Len(), "got", len(elements))
		return
	}
	for i, e := range elements {
		d.value(e, v.Index(i), join(path, strconv.Itoa(i)))
	}
}

// elements splits a list; false for null and for what is no list.
func (d *decoder) elements(raw json.RawMessage, path string) ([]json.RawMessage, bool) {
	if string(raw) == "null" {
		return nil, false
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		d.add(path, "jsonl.wrong_type", "want", want(reflect.Slice))
		return nil, false
	}
	return list, true
}

func (d *decoder) mapping(raw json.RawMessage, v reflect.Value, path string) {
	if string(raw) == "null" {
		return
	}
	list, err := members(raw)
	if err != nil || v.Type().Key().Kind() != reflect.String {
		d.add(path, "jsonl.wrong_type", "want", want(reflect.Map))
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(list)))
	for _, m := range list {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(m.value, e, join(path, m.name))
		v.SetMapIndex(reflect.ValueOf(m.name).Convert(v.Type().Key()), e)
	}
}

type member struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("not an object")

// members splits an object, in its order, names that stand twice included.
func members(raw []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	var list []member
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errNoObject
		}
		m := member{name: name}
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// want names a type as JSON knows it.
func want(k reflect.Kind) string {
	if k == reflect.String {
		return "string"
	}
	if k == reflect.Bool {
		return "true, false"
	}
	if k == reflect.Slice || k == reflect.Array {
		return "[…]"
	}
	if k == reflect.Struct || k == reflect.Map {
		return "{…}"
	}
	if k == reflect.Float32 || k == reflect.Float64 {
		return "number"
	}
	return "integer"
}
