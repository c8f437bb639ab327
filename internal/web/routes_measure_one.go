package web

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// measureView is one measurement with what the reader may do to it.
type measureView struct {
	measure.View
	names  measureNames
	by     actor.Actor
	now    civil.Instant
	guide  measure.Guide
	offer  measure.Offer // what the resident may choose from
	chain  measure.Chain
	labs   []staff.Organisation
	beaten text.Message // who was first, when an act came too late
	picked string       // the appointment or record that an act is about

	objects bool // the reader may raise an objection to it
}

func (w *Web) measureView(r *http.Request) (measureView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := measureView{by: by(r), now: w.o.Now(), objects: w.open(by(r), findingList+"/new", city)}
	var err error
	if v.View, err = w.Measure.Get(ctx, v.by, city, chi.URLParam(r, "measurement")); err != nil {
		return v, err
	}
	if v.names, err = w.measureNames(r); err != nil {
		return v, err
	}
	if v.guide, err = w.Measure.Guide(ctx, v.by, city); err != nil {
		return v, err
	}
	if v.offer, err = w.Measure.Windows(ctx, v.by, city, v.ID); err != nil {
		return v, err
	}
	log, err := w.Measure.Log(ctx, v.by, city, v.Home, v.Season)
	if err != nil {
		return v, err
	}
	v.chain = log.Chain
	for _, o := range v.names.orgs {
		if (o.Kind == staff.Other || o.Kind == staff.Partner) && o.Active {
			v.labs = append(v.labs, o)
		}
	}
	slices.SortFunc(v.labs, func(a, b staff.Organisation) int { return strings.Compare(a.Code, b.Code) })
	return v, nil
}

func (v measureView) may(p actor.Permission) bool { return v.by.May(p, v.On()) == nil }

func (v measureView) allows(e measure.Event) bool { return slices.Contains(v.Allowed, e) }

func (v measureView) href(more ...string) string { return measurePath(v.City, v.ID, more...) }

func (v measureView) page() Page {
	return Page{Title: text.Msg("measurepage.one", "no", v.No), Nav: "measure", Body: measureBody(v)}
}

func (w *Web) measurePage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.measureView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, v.page())
}

// measurePhoto gives a photograph of a visit to whoever may see whose home it is.
func (w *Web) measurePhoto(rw http.ResponseWriter, r *http.Request) error {
	ctx, city := r.Context(), httpx.City(r.Context())
	m, err := w.Measure.Get(ctx, by(r), city, chi.URLParam(r, "measurement"))
	if err != nil {
		return err
	}
	if err := by(r).May(actor.CaseReveal, m.On()); err != nil {
		return err
	}
	b, body, err := w.Blobs.Open(ctx, city, chi.URLParam(r, "blob"), func(subject string) error {
		if subject != m.Subject() && subject != measure.ChainOf(m.Home) {
			return fault.New(fault.NotFound, "not_found")
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	rw.Header().Set("Content-Type", b.MediaType)
	rw.Header().Set("Content-Disposition", "inline")
	rw.Header().Set("Cache-Control", "private, max-age=3600")
	_, err = io.Copy(rw, body)
	return err
}

// measureDocument is a document of a measurement as PDF.
func (w *Web) measureDocument(rw http.ResponseWriter, r *http.Request) error {
	s, err := w.Measure.Sheet(r.Context(), by(r), httpx.City(r.Context()), chi.URLParam(r, "document"))
	if err != nil {
		return err
	}
	names, err := w.measureNames(r)
	if err != nil {
		return err
	}
	return w.sheetOf(rw, measureSheet(r.Context(), names, s, w.outside(r, w.copyPath(s.Document.City, s.Document.ID))), "measurement-"+s.Document.Made.Date().String())
}

// why says by when somebody must come and where that stands.
func (v measureView) why(ctx context.Context) string {
	p := v.Promise
	switch {
	case p == nil:
		return ui.T(ctx, "measurepage.no_limit")
	case p.Missing != "":
		return ui.T(ctx, "measurepage.limit_missing", "why", p.Missing)
	case v.From > 0 && v.DueAt == v.To:
		return ui.T(ctx, "measurepage.limit_moved", "first", p.First.Minute())
	}
	words := ui.T(ctx, "measurepage.limit", "limit", ui.Say(ctx, calendar.Of(p.Amount, calendar.Unit(p.Unit)).Words()), "source", p.Source)
	if p.Provisional {
		words += ui.T(ctx, "measurepage.provisional")
	}
	return words
}

func (v measureView) facts(ctx context.Context) []ui.Fact {
	contact := strings.TrimSpace(v.ContactName + " " + v.ContactPhone)
	return []ui.Fact{
		{Key: "measurepage.address", Text: v.Address},
		{Key: "measurepage.account", Text: v.Account},
		{Key: "measurepage.contact", Text: contact},
		{Key: "measurepage.company", Text: v.names.org(ctx, v.Company)},
		{Key: "measurepage.source", Text: ui.T(ctx, "measure_source."+string(v.Source))},
		{Key: "measurepage.reported", Text: v.ReportedAt.Minute()},
		{Key: "measurepage.requested", Text: v.RequestedAt.Minute()},
		{Key: "measurepage.why", Text: v.why(ctx)},
		{Key: "measurepage.appointed", Text: spanOf(v.From, v.To)},
		{Key: "measurepage.tester", Text: v.names.crew(ctx, v.Measurement)},
		{Key: "measurepage.agreed_c", Text: tenthsWords(v.AgreedC)},
		{Key: "measurepage.tested", Text: v.TestedAt.Minute()},
		{Key: "measurepage.misses", Text: timesWords(ctx, v.Misses)},
	}
}

func timesWords(ctx context.Context, n int) string {
	if n == 0 {
		return ""
	}
	return ui.T(ctx, "measurepage.times", "n", n)
}

// preconditions say what the rule asks for before a test, with what the register knows.
func (v measureView) preconditions(ctx context.Context) []string {
	var out []string
	for _, p := range v.Preconditions {
		line := phrase(ctx, p.Text)
		if p.Known != "" {
			known := firstKey(ctx, p.Known, "measurepage.known."+strings.ReplaceAll(p.Known, ":", "_"))
			line += " — " + known
		}
		out = append(out, line)
	}
	return out
}

// howWords says how the resident agreed to a time, or did not.
func howWords(ctx context.Context, a measure.Appointment) string {
	if a.How == "" {
		return ""
	}
	out := firstKey(ctx, a.How, "measurepage.how."+a.How)
	if a.Recording != "" {
		out += " " + a.Recording
	}
	if !a.AnsweredAt.IsZero() {
		out += " · " + a.AnsweredAt.MonthDayClock()
	}
	return out
}

// open are the appointments that wait for the resident's word, or that may still be declined.
func (v measureView) open(a measure.Appointment) bool {
	return a.State == measure.Proposed && (v.may(actor.MeasureAppoint) || v.may(actor.MeasureRequest))
}

// steps are the records of a measurement in the order in which they were told.
func (v measureView) steps(ctx context.Context) []ui.Step {
	out := make([]ui.Step, len(v.Records))
	for i, r := range v.Records {
		s := ui.Step{At: r.At.MonthDayClock(), Title: ui.T(ctx, "measure_record."+string(r.Kind)), Who: ui.T(ctx, "measure_party."+string(r.Party))}
		var more []string
		if slices.Contains([]measure.Kind{measure.KindArrival, measure.KindReadings, measure.KindSignature}, r.Kind) {
			more = append(more, recordSays(ctx, r))
		}
		if r.RecordedAt.Sub(r.At) >= lateTelling {
			more = append(more, ui.T(ctx, "measurepage.told_at", "at", r.RecordedAt.MonthDayClock()))
		}
		if !r.Counted {
			more = append(more, ui.T(ctx, "measurepage.second_version"))
		}
		if r.Corrects != "" {
			more = append(more, ui.T(ctx, "measurepage.corrects", "reason", r.Reason))
		}
		s.Text = strings.Join(more, " · ")
		out[i] = s
	}
	return out
}

// lateTelling is from when on the page says that a record was told later than it happened.
const lateTelling = 10 * time.Minute
