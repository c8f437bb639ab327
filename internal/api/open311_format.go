package api

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// document is an answer in the two shapes that the standard gives it.
type document struct {
	json any
	xml  any
}

// words is a text of the standard that may be absent: null in JSON, an empty element in XML.
type words string

// MarshalJSON writes the text or null.
func (w words) MarshalJSON() ([]byte, error) {
	if w == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(w))
}

// instant is a time in the W3C's form with the city's offset, to the second.
func instant(at civil.Instant) words {
	if at.IsZero() {
		return ""
	}
	return words(at.Time().Format("2006-01-02T15:04:05-07:00"))
}

// degrees is a coordinate that may be absent.
type degrees string

// MarshalJSON writes the number or null.
func (d degrees) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

func degree(v *float64, digits int) degrees {
	if v == nil {
		return ""
	}
	return degrees(strconv.FormatFloat(*v, 'f', digits, 64))
}

// service is one kind of matter that may be reported.
type service struct {
	Code        string `json:"service_code" xml:"service_code"`
	Name        string `json:"service_name" xml:"service_name"`
	Description words  `json:"description" xml:"description"`
	Metadata    bool   `json:"metadata" xml:"metadata"`
	Type        string `json:"type" xml:"type"`
	Keywords    words  `json:"keywords" xml:"keywords"`
	Group       words  `json:"group" xml:"group"`
}

type services struct {
	XMLName  xml.Name  `xml:"services"`
	Services []service `xml:"service"`
}

// definition lists what is asked about a kind of matter beside the standard's own arguments.
type definition struct {
	XMLName    xml.Name   `json:"-" xml:"service_definition"`
	Code       string     `json:"service_code" xml:"service_code"`
	Attributes attributed `json:"attributes" xml:"attributes"`
}

// attributed is a list that stands there even when it is empty.
type attributed struct {
	List []attribute `xml:"attribute"`
}

// MarshalJSON writes the list alone.
func (a attributed) MarshalJSON() ([]byte, error) { return json.Marshal(a.List) }

type attribute struct {
	Variable            bool    `json:"variable" xml:"variable"`
	Code                string  `json:"code" xml:"code"`
	Datatype            string  `json:"datatype" xml:"datatype"`
	Required            bool    `json:"required" xml:"required"`
	DatatypeDescription words   `json:"datatype_description" xml:"datatype_description"`
	Order               int     `json:"order" xml:"order"`
	Description         string  `json:"description" xml:"description"`
	Values              *values `json:"values,omitempty" xml:"values"`
}

// values are what may be chosen, absent where anything may be written.
type values struct {
	List []value `xml:"value"`
}

// MarshalJSON writes the list alone.
func (v values) MarshalJSON() ([]byte, error) { return json.Marshal(v.List) }

type value struct {
	Key  string `json:"key" xml:"key"`
	Name string `json:"name" xml:"name"`
}

// receipt answers a report.
type receipt struct {
	ID      string `json:"service_request_id" xml:"service_request_id"`
	Notice  words  `json:"service_notice" xml:"service_notice"`
	Account words  `json:"account_id" xml:"account_id"`
}

type receipts struct {
	XMLName  xml.Name  `xml:"service_requests"`
	Requests []receipt `xml:"request"`
}

// redeemed answers a token.
type redeemed struct {
	ID    string `json:"service_request_id" xml:"service_request_id"`
	Token string `json:"token" xml:"token"`
}

type redeemeds struct {
	XMLName  xml.Name   `xml:"service_requests"`
	Requests []redeemed `xml:"request"`
}

// request is a case as the standard shows it.
type request struct {
	ID          string  `json:"service_request_id" xml:"service_request_id"`
	Status      string  `json:"status" xml:"status"`
	StatusNotes words   `json:"status_notes" xml:"status_notes"`
	ServiceName words   `json:"service_name" xml:"service_name"`
	ServiceCode string  `json:"service_code" xml:"service_code"`
	Description words   `json:"description" xml:"description"`
	Agency      words   `json:"agency_responsible" xml:"agency_responsible"`
	Notice      words   `json:"service_notice" xml:"service_notice"`
	Requested   words   `json:"requested_datetime" xml:"requested_datetime"`
	Updated     words   `json:"updated_datetime" xml:"updated_datetime"`
	Expected    words   `json:"expected_datetime" xml:"expected_datetime"`
	Address     words   `json:"address" xml:"address"`
	AddressID   words   `json:"address_id" xml:"address_id"`
	Zipcode     words   `json:"zipcode" xml:"zipcode"`
	Lat         degrees `json:"lat" xml:"lat"`
	Long        degrees `json:"long" xml:"long"`
	Media       words   `json:"media_url" xml:"media_url"`
}

type requests struct {
	XMLName  xml.Name  `xml:"service_requests"`
	Requests []request `xml:"request"`
}

// problem is one thing that is wrong.
type problem struct {
	Code        int    `json:"code" xml:"code"`
	Description string `json:"description" xml:"description"`
}

type faults struct {
	XMLName xml.Name  `xml:"errors"`
	Errors  []problem `xml:"error"`
}

// suffix is what the path names by an id, without the format.
func suffix(r *http.Request) string {
	id := chi.URLParam(r, "id")
	for _, f := range []string{".json", ".xml"} {
		if cut, ok := strings.CutSuffix(id, f); ok {
			return cut
		}
	}
	return id
}

// wantsXML tells the format of an answer: as the path ends, else as the client accepts, else JSON.
func wantsXML(r *http.Request) bool {
	switch {
	case strings.HasSuffix(r.URL.Path, ".xml"):
		return true
	case strings.HasSuffix(r.URL.Path, ".json"):
		return false
	}
	for kind := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/xml", "application/xml":
			return true
		case "application/json", "*/*":
			return false
		}
	}
	return false
}

// write311 writes an answer or says what went wrong. An error whose cause is ours is logged and not shown.
func (a *API) write311(w http.ResponseWriter, r *http.Request, doc document, err error) {
	status := http.StatusOK
	if err != nil {
		lang := httpx.Lang(r.Context())
		if l := r.URL.Query().Get("locale"); l != "" {
			lang = text.ParseLang(l)
		}
		var said []problem
		status, said = problems(err, lang)
		doc = document{json: said, xml: faults{Errors: said}}
		if f := fault.Of(err); f.Kind == fault.Exhausted {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, seconds(f))))
		}
		if status >= http.StatusInternalServerError && r.Context().Err() == nil {
			a.o.Log.ErrorContext(r.Context(), "request failed", "request_id", httpx.RequestID(r.Context()), "error", err)
		}
	}
	w.Header().Add("Vary", "Accept")
	if wantsXML(r) {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, xml.Header) // the client is gone: nobody to tell
		_ = xml.NewEncoder(w).Encode(doc.xml)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc.json)
}

func seconds(f *fault.Error) int { n, _ := f.Params["seconds"].(int); return n }
