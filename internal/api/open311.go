package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// mostOpen311 bounds the form of a report: 4,000 characters and what belongs to them.
const mostOpen311 = 256 << 10

// call is one request of Open311 as far as every method needs it.
type call struct {
	r      *http.Request
	args   url.Values // of the query and, of a POST, of the form
	lang   text.Lang
	city   int
	rules  *citypack.Rules
	by     actor.Actor // the owner of the key; a visitor without one
	keyed  bool
	suffix string // what the path names, without its format
}

// arg is an argument; an empty one is none, as the standard has it.
func (c *call) arg(name string) string { return strings.TrimSpace(c.args.Get(name)) }

// list is an argument that may stand several times and with commas.
func (c *call) list(name string) []string {
	var out []string
	for _, all := range c.args[name] {
		for one := range strings.SplitSeq(all, ",") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

// answer is one method of the standard.
type answer func(c *call) (document, error)

func (a *API) open311(r chi.Router) {
	r.Use(preflight)
	get := func(pattern string, fn answer) {
		h := a.answer311(fn)
		for _, p := range formats(pattern) {
			r.Get(p, h)
			r.Head(p, h)
		}
	}
	get("/services", a.listServices)
	get("/services/{id}", a.defineService)
	get("/requests", a.listRequests)
	get("/requests/{id}", a.showRequest)
	get("/tokens/{id}", a.redeemToken)
	for _, p := range formats("/requests") {
		r.Post(p, a.answer311(a.postRequest))
	}
	r.NotFound(a.answer311(func(*call) (document, error) { return document{}, fault.New(fault.NotFound, "open311.no_such_method") }))
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		a.write311(w, r, document{}, &httpx.TransportError{Status: http.StatusMethodNotAllowed, Key: "httpx.method"})
	})
}

// preflight answers what browsers ask before they read from another site.
func preflight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		open(w)
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD")
		w.Header().Set("Access-Control-Allow-Headers", "Accept, Accept-Language")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	})
}

// formats are the paths of a resource. A path that ends in an id takes its format off the id.
func formats(pattern string) []string {
	if strings.HasSuffix(pattern, "}") {
		return []string{pattern}
	}
	return []string{pattern, pattern + ".json", pattern + ".xml"}
}

// open lets pages of any site read what everybody may read.
func open(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
}

func (a *API) answer311(fn answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			open(w)
		}
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, mostOpen311)
		c, r, err := a.read311(r)
		if err != nil {
			a.write311(w, r, document{}, err)
			return
		}
		doc, err := fn(c)
		a.write311(w, r, doc, err)
	}
}

// read311 finds out who asks, in which language, for which city. The request it gives knows the owner of the key.
func (a *API) read311(r *http.Request) (*call, *http.Request, error) {
	c := &call{r: r, lang: httpx.Lang(r.Context()), suffix: suffix(r)}
	var err error
	if c.args, err = arguments(r); err != nil {
		return nil, r, err
	}
	if l := c.arg("locale"); l != "" {
		c.lang = text.ParseLang(l)
	}
	if r, err = a.who311(c, r); err != nil {
		return nil, r, err
	}
	c.r = r
	if c.city, err = a.jurisdiction(c.arg("jurisdiction_id")); err != nil {
		return nil, r, err
	}
	c.rules, err = a.Rules.Rules(r.Context(), c.city)
	return c, r, err
}

// arguments reads the query and a form. What is not UTF-8, or no keyboard types, is refused here once.
func arguments(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, httpx.Malformed(err)
	}
	if r.Method == http.MethodPost {
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if kind = strings.ToLower(strings.TrimSpace(kind)); kind != "application/x-www-form-urlencoded" {
			return nil, refuse("", "open311.form_only")
		}
		if err := r.ParseForm(); err != nil {
			if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return nil, httpx.TooLarge(tooBig.Limit)
			}
			return nil, httpx.Malformed(err)
		}
		q = r.Form
	}
	for name, all := range q {
		if unclean(name) || slices.ContainsFunc(all, unclean) {
			return nil, refuse(shown(name), "field.bad_text")
		}
	}
	return q, nil
}

func unclean(s string) bool { return !utf8.ValidString(s) || strings.ContainsFunc(s, unwritable) }

func unwritable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == utf8.RuneError
}

// shown is a name that came from outside, fit to be shown again.
func shown(name string) string {
	if unclean(name) || len(name) > 64 {
		return "?"
	}
	return name
}

// who311 finds the owner of the key: the argument that the standard prescribes, or a header. A key that does not hold is
// refused even where none is needed.
func (a *API) who311(c *call, r *http.Request) (*http.Request, error) {
	key := c.arg("api_key")
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, rest, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return r, fault.New(fault.Denied, "open311.bad_key")
		}
		key = strings.TrimSpace(rest)
	}
	if key == "" {
		c.by = actor.Anonymous(actor.Open311)
		return r, a.turn(a.readers, httpx.ByAddress(r))
	}
	who, ok, err := a.Staff.AuthenticateKey(r.Context(), key)
	if err != nil {
		return r, err
	}
	if !ok {
		if err := a.turn(a.readers, httpx.ByAddress(r)); err != nil { // guessing keys is limited too
			return r, err
		}
		return r, fault.New(fault.Denied, "open311.bad_key")
	}
	c.by, c.keyed = who.Actor, true
	c.by.Door = actor.Open311
	return httpx.WithActor(r, c.by), a.turn(a.keys, c.by.ID)
}

// turn uses one of a caller's turns.
func (a *API) turn(l *httpx.Limiter, caller string) error {
	if wait, ok := l.Take(caller); !ok {
		return fault.New(fault.Exhausted, "httpx.too_many", "seconds", int(wait.Seconds())+1)
	}
	return nil
}

// jurisdiction is the city that an id names; none is needed where there is one city.
func (a *API) jurisdiction(id string) (int, error) {
	all := a.o.Cities()
	if id == "" {
		if len(all) == 1 {
			return all[0], nil
		}
		return 0, refuse("jurisdiction_id", "field.required")
	}
	for _, c := range all {
		if strconv.Itoa(c) == id {
			return c, nil
		}
	}
	return 0, fault.New(fault.NotFound, "open311.no_jurisdiction", "id", shown(id))
}

// refuse says what is wrong with one argument.
func refuse(arg, key string, pairs ...any) error {
	var c fault.Check
	c.Add(arg, key, pairs...)
	return c.Err()
}

// public is who reads on behalf of everybody: it sees every case, and what it shows is cut down before it leaves.
func public() actor.Actor { return actor.SystemFor("open311", actor.Open311) }

// problems says an error as the standard does: one line for each argument that is wrong.
func problems(err error, l text.Lang) (int, []problem) {
	p := httpx.NewProblem(err, l, "")
	status := p.Status
	switch status {
	case http.StatusUnprocessableEntity, http.StatusConflict, http.StatusUnsupportedMediaType:
		status = http.StatusBadRequest
	case http.StatusUnauthorized:
		status = http.StatusForbidden
	}
	var out []problem
	for _, f := range p.Fields {
		said := f.Message
		if f.Name != "" {
			said = fmt.Sprintf("%s: %s", f.Name, f.Message)
		}
		out = append(out, problem{Code: status, Description: said})
	}
	if len(out) == 0 {
		out = []problem{{Code: status, Description: p.Detail}}
	}
	return status, out
}
