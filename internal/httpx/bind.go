package httpx

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
)

// Bounds of a form.
const (
	maxFields  = 2000    // values
	maxList    = 200     // elements of a list of groups ("readings.7.temp_c")
	formMemory = 8 << 20 // what a multipart form keeps in memory; the rest goes to temporary files
)

// Bind reads a form into a struct by its `form` tags: the query of a GET, the body of anything else. Everything that is
// wrong is collected, so that the page shows all messages at once.
//
// Texts are trimmed and otherwise kept as typed; numbers may be typed with full-width digits. An empty value leaves the
// field at zero, or a pointer nil. Groups are written with dots ("caller.name"), lists of groups with numbers
// ("readings.0.temp_c"), other lists by repeating the name; files go into *multipart.FileHeader. A field that the struct
// does not have is refused, unless it begins with "_".
func Bind[T any](r *http.Request) (T, error) {
	var v T
	values, files, err := form(r)
	if err != nil {
		return v, err
	}
	b := &binder{values: values, files: files, used: map[string]bool{}}
	b.fill(reflect.ValueOf(&v).Elem(), "")
	b.leftOver()
	return v, b.check.Err()
}

func form(r *http.Request) (url.Values, map[string][]*multipart.FileHeader, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, nil, Malformed(err)
		}
		return q, nil, count(q)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, nil, WrongType(r.Header.Get("Content-Type"))
	}
	switch media {
	case "application/x-www-form-urlencoded", "":
		if err := r.ParseForm(); err != nil {
			return nil, nil, unreadable(err)
		}
		return r.PostForm, nil, count(r.PostForm)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(formMemory); err != nil {
			return nil, nil, unreadable(err)
		}
		return r.MultipartForm.Value, r.MultipartForm.File, count(r.MultipartForm.Value)
	}
	return nil, nil, WrongType(media)
}

func unreadable(err error) error {
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge(tooBig.Limit)
	}
	return Malformed(err)
}

func count(v url.Values) error {
	n := 0
	for _, all := range v {
		n += len(all)
	}
	if n > maxFields {
		return Malformed(fmt.Errorf("a form of %d values", n))
	}
	return nil
}

type binder struct {
	values url.Values
	files  map[string][]*multipart.FileHeader
	used   map[string]bool
	check  fault.Check
}

var (
	fileType  = reflect.TypeFor[*multipart.FileHeader]()
	textType  = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonType  = reflect.TypeFor[json.Unmarshaler]()
	timeType  = reflect.TypeFor[civil.Instant]()
	dateType  = reflect.TypeFor[civil.Date]()
	numberish = []reflect.Type{reflect.TypeFor[celsius.Tenths](), reflect.TypeFor[money.Fen]()}
)

// fill sets the fields of a struct whose names stand under prefix.
func (b *binder) fill(v reflect.Value, prefix string) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("form")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
			b.fill(v.Field(i), prefix)
		case tagged:
			b.field(v.Field(i), prefix+tag)
		}
	}
}

func (b *binder) field(v reflect.Value, name string) {
	t := v.Type()
	switch {
	case t == fileType:
		b.used[name] = true
		if got := b.files[name]; len(got) > 0 {
			v.Set(reflect.ValueOf(got[0]))
		}
	case t == reflect.SliceOf(fileType):
		b.used[name] = true
		v.Set(reflect.ValueOf(b.files[name]))
	case isLeaf(t):
		b.one(v, name)
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && !isLeaf(t.Elem()):
		if b.hasUnder(name + ".") {
			v.Set(reflect.New(t.Elem()))
			b.fill(v.Elem(), name+".")
		}
	case t.Kind() == reflect.Struct:
		b.fill(v, name+".")
	case t.Kind() == reflect.Slice && isLeaf(t.Elem()):
		b.many(v, name)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		b.groups(v, name)
	default:
		panic(fmt.Sprintf("httpx: a form cannot fill %s %s", name, t)) // a mistake in the input struct: the first test meets it
	}
}

// isLeaf tells a type that one value fills.
func isLeaf(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		return t != fileType && t.Elem().Kind() != reflect.Pointer && isLeaf(t.Elem())
	}
	if p := reflect.PointerTo(t); p.Implements(textType) || p.Implements(jsonType) {
		return true
	}
	k := t.Kind()
	return k == reflect.String || k == reflect.Bool || k == reflect.Float64 || k >= reflect.Int && k <= reflect.Int64
}

// one sets a single value; a name sent twice is refused, except a check box after its hidden "no".
func (b *binder) one(v reflect.Value, name string) {
	b.used[name] = true
	all := b.values[name]
	if len(all) == 0 {
		return
	}
	if len(all) > 1 && v.Kind() != reflect.Bool {
		b.check.Add(name, "httpx.field_twice")
		return
	}
	b.set(v, name, all[len(all)-1])
}

func (b *binder) many(v reflect.Value, name string) {
	b.used[name] = true
	for _, s := range b.values[name] {
		e := reflect.New(v.Type().Elem()).Elem()
		if strings.TrimSpace(s) == "" {
			continue
		}
		if b.set(e, name, s) {
			v.Set(reflect.Append(v, e))
		}
	}
}

// groups fills a list of structs from "name.0.field", "name.1.field" …; numbers may leave gaps.
func (b *binder) groups(v reflect.Value, name string) {
	var at []int
	for _, key := range b.names() {
		rest, ok := strings.CutPrefix(key, name+".")
		num, _, dotted := strings.Cut(rest, ".")
		n, err := strconv.Atoi(num)
		if !ok || !dotted || err != nil || n < 0 || strconv.Itoa(n) != num || slices.Contains(at, n) {
			continue
		}
		at = append(at, n)
	}
	if len(at) > maxList {
		b.check.Add(name, "httpx.list_too_long", "max", maxList)
		return
	}
	slices.Sort(at)
	for _, n := range at {
		e := reflect.New(v.Type().Elem()).Elem()
		b.fill(e, name+"."+strconv.Itoa(n)+".")
		v.Set(reflect.Append(v, e))
	}
}

func (b *binder) hasUnder(prefix string) bool {
	return slices.ContainsFunc(b.names(), func(n string) bool { return strings.HasPrefix(n, prefix) })
}

// names lists what was sent, sorted, so that messages come in the same order each time.
func (b *binder) names() []string {
	out := make([]string, 0, len(b.values)+len(b.files))
	for n := range b.values {
		out = append(out, n)
	}
	for n := range b.files {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (b *binder) leftOver() {
	for _, n := range b.names() {
		if b.used[n] || strings.HasPrefix(n, "_") {
			continue
		}
		shown := n
		if !utf8.ValidString(shown) || len(shown) > 64 {
			shown = "?"
		}
		b.check.Add(shown, "field.unknown", "name", shown)
	}
}

// set puts a text into a value and notes what is wrong with it.
func (b *binder) set(v reflect.Value, name, s string) bool {
	if !cleanText(s) {
		b.check.Add(name, "field.bad_text")
		return false
	}
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if v.Kind() == reflect.Pointer {
		if s == "" {
			return true
		}
		p := reflect.New(v.Type().Elem())
		if !b.set(p.Elem(), name, s) {
			return false
		}
		v.Set(p)
		return true
	}
	if s == "" && v.Kind() != reflect.Bool {
		return true
	}
	if err := assign(v, s); err != nil {
		if !b.check.Merge(name, err) {
			key, pairs := complaint(v.Type())
			b.check.Add(name, key, pairs...)
		}
		return false
	}
	return true
}

// cleanText refuses what is not UTF-8 and characters that no keyboard types and PostgreSQL does not take.
func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == utf8.RuneError
	})
}

func assign(v reflect.Value, s string) error {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		if slices.Contains(numberish, v.Type()) {
			s = narrow(s)
		}
		return u.UnmarshalText([]byte(s))
	}
	if u, ok := reflect.TypeAssert[json.Unmarshaler](v.Addr()); ok {
		quoted, err := json.Marshal(narrow(s))
		if err != nil {
			return err
		}
		return u.UnmarshalJSON(quoted)
	}
	switch k := v.Kind(); k {
	case reflect.String:
		v.SetString(s)
		return nil
	case reflect.Bool:
		return assignBool(v, s)
	case reflect.Float64:
		f, err := strconv.ParseFloat(narrow(s), 64)
		if err == nil && (f-f != 0) {
			err = strconv.ErrRange
		}
		v.SetFloat(f)
		return err
	}
	n, err := strconv.ParseInt(narrow(s), 10, v.Type().Bits())
	v.SetInt(n)
	return err
}

func assignBool(v reflect.Value, s string) error {
	switch strings.ToLower(s) {
	case "on", "true", "1", "yes":
		v.SetBool(true)
	case "", "off", "false", "0", "no":
		v.SetBool(false)
	default:
		return strconv.ErrSyntax
	}
	return nil
}

// complaint is the message for a value that is not of its type.
func complaint(t reflect.Type) (string, []any) {
	switch {
	case t == timeType:
		return "field.not_a_time", nil
	case t == dateType:
		return "field.not_a_date", nil
	case t.Kind() == reflect.Bool:
		return "field.not_one_of", []any{"allowed", "true, false"}
	case slices.Contains(numberish, t):
		return "field.not_a_number", nil
	case reflect.PointerTo(t).Implements(textType) || reflect.PointerTo(t).Implements(jsonType):
		return "httpx.bad_value", nil
	}
	return "field.not_a_number", nil
}

// narrow turns full-width digits and signs into plain ones, for numbers only.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '．' || r == '。':
			return '.'
		case r == '－' || r == '−':
			return '-'
		}
		return r
	}, s)
}
