package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/jsonl"
)

// The bounds of what may be sent.
const (
	mostJSON   = 1 << 20
	mostFiles  = 64 << 20 // a few photographs
	formMemory = 8 << 20  // what a form with photographs keeps in memory; the rest goes to temporary files
)

// Operation is one act or question of /api/v1, for tests and documentation.
type Operation struct {
	Name        string // also the key "api.op.<name>" of what it is called
	Method      string
	Path        string
	Permissions []actor.Permission // whoever has one of these anywhere in the city; the use case asks again about the place
	Resident    bool               // of a resident's own session (v1_wechat.go), no key opens it
	Open        bool               // the way to such a session: for whoever knocks
	say         string             // catalogue key of the name, where it has one already
	tag         string
	status      int
}

// v1 is /api/v1 while it is put together.
type v1 struct {
	*API
	doc     huma.API
	adapter huma.Adapter // where operations are mounted
	about   *schemas
}

// caller is who asks for an operation, and where.
type caller struct {
	r    *http.Request
	by   actor.Actor
	city int
}

// key is the idempotency key of the request.
func (c caller) key() string { return c.r.Header.Get("Idempotency-Key") }

// param is a part of the address.
func (c caller) param(name string) string { return chi.URLParam(c.r, name) }

func (a *API) v1(r chi.Router) {
	r.NotFound(a.errors.NotFound())
	r.MethodNotAllowed(a.errors.MethodNotAllowed())
	v := &v1{API: a, about: newSchemas()}
	r.Group(func(r chi.Router) {
		r.Use(a.errors.Keys(a.Staff.AuthenticateKey, actor.API, ""), a.sessions, a.errors.Limit(a.readers, anonymous),
			a.errors.Limit(a.keys, httpx.ByActor), a.errors.LoggedIn)
		v.doc = humachi.New(r, v.about.config())
		v.adapter = v.doc.Adapter()
		v.caseOperations()
		v.stepOperations()
		v.fileOperations()
		v.cityOperations()
		v.outageOperations()
		v.callOperations()
		v.feeOperations()
		v.measureOperations()
		v.instrumentOperations()
		v.findingOperations()
		v.bindingOperations()
		v.refundOperations()
		v.settleOperations()
		v.exchangeOperations()
		v.hotlineOperations()
		v.webhookOperations()
		v.clueOperations()
		v.callbackOperations()
	})
	a.mineOperations(r, v)
	v.serveDocument(r)
}

// anonymous limits whoever does not say who they are by address.
func anonymous(r *http.Request) string {
	if httpx.Identity(r.Context()).Actor.ID != "" {
		return ""
	}
	return httpx.ByAddress(r)
}

// sessions lets members of staff read with the cookie of their browser. Acts need a key: a cookie goes with every request
// that a page of another site makes.
func (a *API) sessions(next http.Handler) http.Handler {
	with := a.errors.Sessions(a.cookies, a.Staff.Authenticate)(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httpx.Identity(r.Context()).Actor.ID != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		with.ServeHTTP(w, r)
	})
}

// mount adds an operation; h writes its answer or gives a fault.
func (v *v1) mount(o Operation, doc huma.Operation, h func(w http.ResponseWriter, c caller) error) {
	v.operations = append(v.operations, o)
	doc.Method, doc.Path, doc.OperationID = o.Method, Prefix+o.Path, o.Name
	v.about.describe(&doc, o)
	v.doc.OpenAPI().AddOperation(&doc)
	answer := v.errors.Handle(func(w http.ResponseWriter, r *http.Request) error {
		c := caller{r: r, by: httpx.Actor(r.Context()), city: httpx.City(r.Context())}
		w.Header().Set("Cache-Control", "no-store")
		if o.Resident {
			var err error
			if c, err = v.theirs(w, c); err != nil {
				return err
			}
		}
		if err := o.allows(c); err != nil {
			return err
		}
		return h(w, c)
	})
	guarded := v.errors.Cities(v.o.Cities)(answer)
	v.adapter.Handle(&doc, func(ctx huma.Context) {
		r, w := humachi.Unwrap(ctx)
		guarded.ServeHTTP(w, r)
	})
}

// allows asks for one of the permissions anywhere in the city.
func (o Operation) allows(c caller) error {
	if len(o.Permissions) == 0 || slices.ContainsFunc(o.Permissions, func(p actor.Permission) bool { return c.by.MayAny(p, c.city) }) {
		return nil
	}
	if err := c.by.May(o.Permissions[0], actor.On{City: c.city}); err != nil {
		return err
	}
	return fault.New(fault.Denied, "denied.scope")
}

// ask adds a question: its parameters are the fields of Q.
func ask[Q, Out any](v *v1, o Operation, fn func(ctx context.Context, c caller, q Q) (Out, error)) {
	doc := huma.Operation{Parameters: v.about.parameters(reflect.TypeFor[Q]())}
	v.about.answer(&doc, reflect.TypeFor[Out](), http.StatusOK)
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		q, err := httpx.Bind[Q](c.r)
		if err != nil {
			return err
		}
		out, err := fn(c.r.Context(), c, q)
		if err != nil {
			return err
		}
		return write(w, http.StatusOK, out)
	})
}

// act adds an act: its body is In.
func act[In, Out any](v *v1, o Operation, fn func(ctx context.Context, c caller, in In) (Out, error)) {
	actWith(v, o, nil, fn)
}

// actWith is act for inputs that photographs belong to: photos says where in the input.
func actWith[In, Out any](v *v1, o Operation, photos func(in *In) *[]blob.Stored, fn func(ctx context.Context, c caller, in In) (Out, error)) {
	status := o.status
	if status == 0 {
		status = http.StatusOK
	}
	var doc huma.Operation
	v.about.body(&doc, reflect.TypeFor[In](), photos != nil)
	v.about.answer(&doc, reflect.TypeFor[Out](), status)
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		in, err := decode(v, w, c, photos)
		if err != nil {
			return err
		}
		out, err := fn(c.r.Context(), c, in)
		if err != nil {
			return err
		}
		return write(w, status, out)
	})
}

func write(w http.ResponseWriter, status int, out any) error {
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client is gone: nobody to tell
	return nil
}

// decode reads the body of an act: JSON, or, where photographs may come with it, a form of both.
func decode[In any](v *v1, w http.ResponseWriter, c caller, photos func(in *In) *[]blob.Stored) (In, error) {
	var in In
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	raw := []byte("{}")
	switch {
	case err != nil && c.r.Header.Get("Content-Type") != "":
		return in, httpx.WrongType(shown(c.r.Header.Get("Content-Type")))
	case kind == "application/json":
		raw, err = limited(w, c.r)
	case kind == "multipart/form-data" && photos != nil:
		raw, err = form(w, c.r)
	case c.r.ContentLength == 0: // an act that needs no more than its name
		err = nil
	default:
		return in, httpx.WrongType(shown(kind))
	}
	if err != nil {
		return in, err
	}
	if in, err = strict[In](raw); err != nil || kind != "multipart/form-data" {
		return in, err
	}
	*photos(&in), err = v.keep(c)
	return in, err
}

// limited reads a body of JSON.
func limited(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > mostJSON {
		w.Header().Set("Connection", "close") // the rest of the body is not read
		return nil, httpx.TooLarge(mostJSON)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostJSON))
	if err != nil {
		return nil, unreadable(err)
	}
	return raw, nil
}

// form reads a form whose value "json" is the input.
func form(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, mostFiles)
	if err := r.ParseMultipartForm(formMemory); err != nil {
		return nil, unreadable(err)
	}
	if s := r.MultipartForm.Value["json"]; len(s) > 0 {
		return []byte(s[0]), nil
	}
	return []byte("{}"), nil
}

func unreadable(err error) error {
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return httpx.TooLarge(tooBig.Limit)
	}
	return httpx.Malformed(err)
}

// keep takes the photographs of a form in; their rows are written with the act.
func (v *v1) keep(c caller) ([]blob.Stored, error) {
	var out []blob.Stored
	for _, f := range c.r.MultipartForm.File["photos"] {
		body, err := f.Open()
		if err != nil {
			return nil, err
		}
		kept, err := v.Blobs.Keep(c.r.Context(), blob.Upload{City: c.city, Purpose: "photo", Name: f.Filename, Reader: body})
		body.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, kept)
	}
	return out, nil
}

// strict decodes JSON and names every field that is wrong: unknown, of another type, not readable as what it should be.
func strict[In any](raw []byte) (In, error) {
	var in In
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return in, httpx.Malformed(errors.New("not JSON in UTF-8"))
	}
	var loose any
	if err := json.Unmarshal(raw, &loose); err != nil {
		return in, httpx.Malformed(err)
	}
	var check fault.Check
	texts(loose, "", &check)
	if top, ok := loose.(map[string]any); ok && !hasField(reflect.TypeFor[In](), "id") {
		_, given := top["id"] // the lines of the command line may carry one, an input of ours may not
		check.That(!given, "id", "field.unknown", "name", "id")
	}
	in, err := jsonl.Decode[In](raw)
	if err != nil && !check.Merge("", err) {
		return in, err
	}
	return in, check.Err()
}

// texts refuses characters that no keyboard types; PostgreSQL does not take some of them.
func texts(v any, path string, check *fault.Check) {
	switch x := v.(type) {
	case string:
		check.That(!unclean(x), path, "field.bad_text")
	case []any:
		for i, e := range x {
			texts(e, under(path, strconv.Itoa(i)), check)
		}
	case map[string]any:
		for name, e := range x {
			texts(e, under(path, shown(name)), check)
		}
	}
}

func under(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// hasField reports whether a struct has a field of a JSON name.
func hasField(t reflect.Type, name string) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name || f.Anonymous && tag == "" && hasField(f.Type, name) {
			return true
		}
	}
	return false
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// caseID is the id of the case that the address names by its id or its number.
func (v *v1) caseID(ctx context.Context, c caller) (string, error) {
	name := c.param("case")
	if uuid.MatchString(name) {
		return name, nil
	}
	found, err := v.Cases.ByNo(ctx, c.by, c.city, name)
	return found.ID, err
}
