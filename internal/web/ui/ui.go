// Package ui draws the parts that every page is made of: the frame of staff's, residents' and field workers' pages, tables,
// forms, chips, timelines, charts, maps. Pages live in package web; this package knows no use case.
//
// A part takes catalogue keys for its labels (Key fields) and finished texts for data (Text fields); the reader's language,
// the time and the frame come from the request's context (View). Invariants: no style attribute, no script in the page
// (the content security policy refuses both); every control has a visible label; colour never says anything alone.
package ui

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// City is a city the installation serves.
type City struct {
	Code   int
	NameZH string
	NameEN string
}

// In is the name in a language.
func (c City) In(l text.Lang) string {
	if l == text.EN && c.NameEN != "" {
		return c.NameEN
	}
	return c.NameZH
}

// Link is an entry of a navigation.
type Link struct {
	Key     string // catalogue key of the label
	Icon    string
	Href    string
	Current bool
	Count   int // shown beside the label when not zero
}

// View is what the frame of a page and its parts need to know about the request; package web puts it into the context.
type View struct {
	Site      config.Site
	Map       config.Map
	City      City          // zero on pages without a city
	Cities    int           // how many cities the reader may choose from
	Now       civil.Instant // the city's clock
	Nav       []Link        // areas, in the rail
	Tabs      []Link        // pages of the present area
	Name      string        // of whoever is logged in; empty when nobody is
	Role      string        // their first role, as text
	URL       *url.URL      // of the request
	Flash     string        // a message about what was just done
	FlashBad  bool
	HasPublic bool   // there are residents' pages to lead back to
	BaseMap   string // address of what lies under maps; empty when the reader may not see it
	Person    string // tells apart on one telephone whose forms are whose; no name, empty when nobody is logged in
}

type viewKey struct{}

// With puts the view into a context.
func With(ctx context.Context, v *View) context.Context {
	return context.WithValue(ctx, viewKey{}, v)
}

// Of is the view of a context; never nil.
func Of(ctx context.Context) *View {
	if v, ok := ctx.Value(viewKey{}).(*View); ok {
		return v
	}
	return &View{URL: &url.URL{Path: "/"}}
}

// T says a catalogue key in the reader's language:
//
//	<h1>{ ui.T(ctx, "web.people.title") }</h1>
func T(ctx context.Context, key string, pairs ...any) string {
	return text.T(httpx.Lang(ctx), key, pairs...)
}

// Say says a message in the reader's language.
func Say(ctx context.Context, m text.Message) string {
	if m.Key == "" {
		return ""
	}
	return m.In(httpx.Lang(ctx))
}

// English reports whether the reader reads English.
func English(ctx context.Context) bool { return httpx.Lang(ctx) == text.EN }

// Named chooses between the two names of a thing.
func Named(ctx context.Context, zh, en string) string {
	if English(ctx) && en != "" {
		return en
	}
	return zh
}

// Now is the city's clock.
func Now(ctx context.Context) civil.Instant { return Of(ctx).Now }

// siteName is what the installation is called.
func siteName(ctx context.Context) string {
	if n := Of(ctx).Site.Name; n != "" {
		return n
	}
	return T(ctx, "ui.site")
}

// here is the present address with one value of its query changed, for links that switch language or size.
func here(ctx context.Context, name, value string) templ.SafeURL {
	u := Of(ctx).URL
	if u == nil {
		u = &url.URL{Path: "/"}
	}
	q := u.Query()
	q.Set(name, value)
	return templ.SafeURL((&url.URL{Path: u.Path, RawQuery: q.Encode()}).String())
}

// PageLink is the present address with one value of its query changed, and the place in the list forgotten.
func PageLink(ctx context.Context, name, value string) string {
	u := Of(ctx).URL
	q := u.Query()
	q.Del("after")
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	return (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String()
}

// nextSize is the size of text that the one button of residents' pages chooses next, and the key of its label.
func nextSize(ctx context.Context) (size, key string) {
	switch httpx.TextSize(ctx) {
	case 18:
		return "24", "ui.size.large"
	case 24:
		return "30", "ui.size.largest"
	}
	return "18", "ui.size.normal"
}

// sizeClass is the class of <html> for the reader's size of text.
func sizeClass(ctx context.Context) string { return "t" + strconv.Itoa(httpx.TextSize(ctx)) }

// Key makes the idempotency key of a form: the same form sent twice is done once.
func Key() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// initial is the first character of a name, for the mark beside it.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "·"
}

// Span says a length of time the way people do: "3时41分", "2天4时".
func Span(ctx context.Context, d time.Duration) string {
	mins := int(d.Abs().Minutes())
	switch {
	case mins >= 24*60 && mins%1440 < 60:
		return T(ctx, "ui.time.d", "d", mins/1440)
	case mins >= 24*60:
		return T(ctx, "ui.time.dh", "d", mins/1440, "h", mins/60%24)
	case mins >= 60 && mins%60 == 0:
		return T(ctx, "ui.time.h", "h", mins/60)
	case mins >= 60:
		return T(ctx, "ui.time.hm", "h", mins/60, "m", mins%60)
	}
	return T(ctx, "ui.time.m", "m", mins)
}

// Due is a time limit as a list shows it.
type Due struct {
	At   civil.Instant // zero: there is none, or it cannot be computed
	Done bool          // the clock has stopped
	Note string        // why there is none, as text
}

// state is the look of what is left: "", "soon", "over" or "done".
func (d Due) state(now civil.Instant) string {
	switch {
	case d.Done:
		return "done"
	case d.At.Before(now):
		return "over"
	case d.At.Sub(now) < 2*time.Hour:
		return "soon"
	}
	return ""
}

func (d Due) say(ctx context.Context, now civil.Instant) string {
	left := Span(ctx, d.At.Sub(now))
	if d.At.Before(now) {
		return T(ctx, "ui.time.over", "t", left)
	}
	return left
}
