package httpx

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/text"
)

// TextSizes are the sizes of text a reader may choose on the residents' pages, in pixels.
func TextSizes() []int { return []int{18, 24, 30} }

const (
	langCookie = "lang"
	textCookie = "text"
	aYear      = 365 * 24 * time.Hour
)

// Readers finds the reader's language and size of text: ?lang= and ?text= choose and are remembered in a cookie, then
// taken out of the address; else the cookie, else what the browser asks for, else Chinese.
func Readers(c Cookies) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lang, size := readerOf(r)
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				lang, size, r = c.choose(w, r, lang, size)
			}
			w.Header().Add("Vary", "Cookie, Accept-Language")
			next.ServeHTTP(w, with(with(r, keyLang, lang), keyTextSize, size))
		})
	}
}

func (c Cookies) choose(w http.ResponseWriter, r *http.Request, lang text.Lang, size int) (text.Lang, int, *http.Request) {
	if !strings.Contains(r.URL.RawQuery, "lang=") && !strings.Contains(r.URL.RawQuery, "text=") {
		return lang, size, r
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return lang, size, r // whoever reads the form says so
	}
	if v := q.Get("lang"); v != "" {
		lang = text.ParseLang(v)
		c.Set(w, langCookie, string(lang), aYear)
	}
	if n, err := strconv.Atoi(q.Get("text")); err == nil && slices.Contains(TextSizes(), n) {
		size = n
		c.Set(w, textCookie, strconv.Itoa(n), aYear)
	}
	q.Del("lang")
	q.Del("text")
	r = r.Clone(r.Context())
	r.URL.RawQuery = q.Encode()
	return lang, size, r
}

func readerOf(r *http.Request) (text.Lang, int) {
	lang, size := accepted(r.Header.Get("Accept-Language")), TextSizes()[0]
	if k, err := r.Cookie(langCookie); err == nil {
		lang = text.ParseLang(k.Value)
	}
	if k, err := r.Cookie(textCookie); err == nil {
		if n, err := strconv.Atoi(k.Value); err == nil && slices.Contains(TextSizes(), n) {
			size = n
		}
	}
	return lang, size
}

// accepted is the language of ours that a browser likes most; Chinese when it likes neither.
func accepted(header string) text.Lang {
	best, lang := 0.0, text.ZH
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = f
		}
		tag = strings.ToLower(tag)
		if q > best && (strings.HasPrefix(tag, "zh") || strings.HasPrefix(tag, "en")) {
			best, lang = q, text.ParseLang(tag)
		}
	}
	return lang
}
