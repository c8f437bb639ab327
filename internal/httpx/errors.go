package httpx

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// TransportError is a fault of transport: the request did not get as far as a use case.
type TransportError struct {
	Status int
	Key    string // catalogue key
	Params fault.Params
	cause  error
}

// Error is the text for the log.
func (r *TransportError) Error() string {
	s := strconv.Itoa(r.Status) + " " + r.Key
	if r.cause != nil {
		s += ": " + r.cause.Error()
	}
	return s
}

// Unwrap gives the cause, if any.
func (r *TransportError) Unwrap() error { return r.cause }

// Malformed is 400: the request cannot be read.
func Malformed(cause error) error {
	return &TransportError{Status: http.StatusBadRequest, Key: "httpx.malformed", cause: cause}
}

// NotLoggedIn is 401.
func NotLoggedIn() error {
	return &TransportError{Status: http.StatusUnauthorized, Key: "httpx.not_logged_in"}
}

// TooLarge is 413.
func TooLarge(most int64) error {
	return &TransportError{Status: http.StatusRequestEntityTooLarge, Key: "httpx.too_large", Params: fault.Params{"max": size(most)}}
}

// WrongType is 415: a body of a kind that is not read here.
func WrongType(got string) error {
	return &TransportError{Status: http.StatusUnsupportedMediaType, Key: "httpx.wrong_type", Params: fault.Params{"type": got}}
}

func size(n int64) string {
	if n >= 1<<20 {
		return strconv.FormatInt(n>>20, 10) + " MB"
	}
	return strconv.FormatInt(n>>10, 10) + " kB"
}

// Status is the HTTP status of a kind of fault.
func Status(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Denied:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Exhausted:
		return http.StatusTooManyRequests
	case fault.Down:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Problem is an error as programs get it (RFC 9457) and as error pages show it.
type Problem struct {
	Type    string         `json:"type"` // "about:blank": the status says it all
	Title   string         `json:"title"`
	Status  int            `json:"status"`
	Detail  string         `json:"detail,omitempty"`
	Kind    string         `json:"kind"` // fault kind, or "transport"
	Key     string         `json:"key"`  // which message, the same in every language
	Fields  []ProblemField `json:"fields,omitempty"`
	Request string         `json:"request_id,omitempty"`
}

// ProblemField is a message about one field.
type ProblemField struct {
	Name    string `json:"name"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

// NewProblem says an error in a language. The text of an Internal error stays out of it.
func NewProblem(err error, l text.Lang, requestID string) Problem {
	p := Problem{Type: "about:blank", Request: requestID}
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = TooLarge(tooBig.Limit)
	}
	if r, ok := errors.AsType[*TransportError](err); ok {
		p.Status, p.Kind, p.Key = r.Status, "transport", r.Key
		p.Title, p.Detail = http.StatusText(r.Status), text.Say(l, r.Key, r.Params)
		return p
	}
	f := fault.Of(err)
	p.Status, p.Kind, p.Key = Status(f.Kind), f.Kind.String(), f.Key
	p.Title = http.StatusText(p.Status)
	if f.Kind == fault.Internal {
		p.Key = "internal"
		p.Detail = text.T(l, "internal")
		return p
	}
	p.Detail = text.Fault(l, f)
	for _, one := range f.Fields {
		p.Fields = append(p.Fields, ProblemField{Name: one.Name, Key: one.Key, Message: text.Field(l, one)})
	}
	return p
}

// WriteProblem answers with application/problem+json.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := NewProblem(err, Lang(r.Context()), RequestID(r.Context()))
	head(w, p, err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone: nobody to tell
}

// head sets the headers that belong to a status.
func head(w http.ResponseWriter, p Problem, err error) {
	h := w.Header()
	h.Del("Content-Length")
	h.Del("Content-Disposition")
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="rehu"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", strconv.Itoa(retryAfter(err)))
		}
	}
}

// retryAfter is how many seconds a fault asks to wait.
func retryAfter(err error) int {
	switch m := fault.Of(err).Params["minutes"].(type) {
	case int64:
		return int(m) * 60
	case int:
		return m * 60
	}
	return 5
}

// Page draws an error page; the status is already known, the page writes it.
type Page func(w http.ResponseWriter, r *http.Request, p Problem)

// Errors renders faults: as a page where there is one and the reader is a browser, as problem+json otherwise.
type Errors struct {
	Page Page
	Log  *slog.Logger
}

// Handle makes a handler of a function that returns an error, and frees the files of its form.
func (e *Errors) Handle(fn func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := fn(w, r)
		if r.MultipartForm != nil {
			if gone := r.MultipartForm.RemoveAll(); gone != nil {
				e.log(r).WarnContext(r.Context(), "remove uploaded files", "error", gone)
			}
		}
		if err != nil {
			e.Render(w, r, err)
		}
	}
}

// Render answers with an error, unless the answer has begun or the client is gone.
func (e *Errors) Render(w http.ResponseWriter, r *http.Request, err error) {
	p := NewProblem(err, Lang(r.Context()), RequestID(r.Context()))
	n := notes(r.Context())
	n.fault = p.Key
	restart(w)
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		e.log(r).ErrorContext(r.Context(), "request failed", "request_id", p.Request, "kind", p.Kind, "error", err)
	}
	if n.began() {
		return // half an answer is out: cutting it off is all that can be done
	}
	if e.Page == nil || !wantsPage(r) {
		WriteProblem(w, r, err)
		return
	}
	head(w, p, err)
	e.Page(w, r, p)
}

func (e *Errors) log(_ *http.Request) *slog.Logger {
	if e.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Log
}

// wantsPage tells a browser, or htmx in one, from a program.
func wantsPage(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return r.Header.Get("HX-Request") == "true" || strings.Contains(accept, "text/html") ||
		(accept == "" || accept == "*/*") && r.Method != http.MethodGet && strings.Contains(r.Header.Get("Content-Type"), "form")
}

// NotFound is the handler of addresses that lead nowhere.
func (e *Errors) NotFound() http.HandlerFunc {
	return e.Handle(func(http.ResponseWriter, *http.Request) error { return fault.New(fault.NotFound, "httpx.no_such_page") })
}

// MethodNotAllowed is the handler of methods that an address does not know.
func (e *Errors) MethodNotAllowed() http.HandlerFunc {
	return e.Handle(func(http.ResponseWriter, *http.Request) error {
		return &TransportError{Status: http.StatusMethodNotAllowed, Key: "httpx.method"}
	})
}

// clampInt keeps a wait within what a header can say.
func clampInt(f float64) int { return int(math.Max(1, math.Min(f, 86_400))) }
