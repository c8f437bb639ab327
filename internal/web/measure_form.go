package web

import (
	"context"
	"maps"
	"net/url"
	"slices"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

func measureLook(a measureAct) string {
	if a.look == "danger" {
		return a.look
	}
	return "main-act"
}

// actHref is the address of an act; of names the appointment or record that it is about.
func actHref(v measureView, a measureAct, of string) string {
	if of == "" {
		return v.href(a.name)
	}
	return withQuery(v.href(a.name), url.Values{"of": {of}})
}

// actNamed finds an act by the last part of its address.
func actNamed(name string) measureAct {
	all := measureActs()
	return all[slices.IndexFunc(all, func(a measureAct) bool { return a.name == name })]
}

func (v measureView) labOptions(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(v.labs))
	for i, o := range v.labs {
		out[i] = ui.Option{Value: o.Code, Text: ui.Named(ctx, o.NameZH, o.NameEN)}
	}
	return out
}

// invitations are the written invitations that a report may answer.
func (v measureView) invitations() []ui.Option {
	var out []ui.Option
	for _, r := range measure.Standing(v.Records) {
		if r.Kind == measure.KindInvitation {
			out = append(out, ui.Option{Value: r.ID, Text: r.RecordedAt.Minute()})
		}
	}
	return out
}

func boolOptions() []ui.Option {
	return []ui.Option{{Value: "true", Key: "yes_no.yes"}, {Value: "false", Key: "yes_no.no"}}
}

// roomTypes are the types of rooms for which the rules set a standard.
func (v measureView) roomTypes(ctx context.Context) []ui.Option {
	return roomOptions(ctx, slices.Sorted(maps.Keys(v.guide.Standards)))
}

// typedTime is a time as its field holds it.
func typedTime(at civil.Instant) string {
	if at.IsZero() {
		return ""
	}
	return at.Time().Format("2006-01-02T15:04")
}

func typedTemp(m measure.RoomReading) string {
	if m.Room == "" {
		return ""
	}
	return m.TempC.String()
}

func typedTenths(t *celsius.Tenths) string {
	if t == nil {
		return ""
	}
	return t.String()
}

// arrivalOf is what a record of an arrival says; empty when it is none.
func arrivalOf(r measure.Record) measure.KeptArrival {
	var a measure.KeptArrival
	if r.Into(&a) != nil {
		return measure.KeptArrival{}
	}
	return a
}

func readingsOf(r measure.Record) measure.KeptReadings {
	var k measure.KeptReadings
	if r.Into(&k) != nil {
		return measure.KeptReadings{}
	}
	return k
}
