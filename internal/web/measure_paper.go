package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

func documentHref(d measure.Document) string {
	return at(measureList+"/documents/", d.City) + d.ID
}

func homeHref(city int, home string) string {
	return withQuery(at(measureList+"/home", city), url.Values{"home": {home}})
}

func dayValue(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// partName says which part of a visit it is: "readings", "photo:1".
func partName(ctx context.Context, part string) string {
	kind, _, _ := strings.Cut(part, ":")
	return firstKey(ctx, part, "measure_record."+kind)
}

func photoName(ctx context.Context, purpose string) string {
	return firstKey(ctx, purpose, "measurepage.photo."+purpose)
}

// measureSheet lays a document of a measurement out: first what the pack's template asks for as far as the record says it,
// then the readings, what deviates, and the signatures. What the record does not know stays empty to be written by hand.
// check is where a resident looks the record up again; empty prints no code.
func measureSheet(ctx context.Context, n measureNames, s measure.Sheet, check string) paper.Document {
	m := s.Measurement
	name := s.Document.Code
	if s.Template.Code != "" {
		name = phrase(ctx, s.Template.Name)
	}
	d := paper.Document{Style: paper.Form, Language: httpx.Lang(ctx), Issuer: n.org(ctx, m.Company), Title: name, Number: s.Document.No, Footer: chainWords(ctx, s.Chain)}
	d.Blocks = append(d.Blocks, paper.Pairs{Pairs: sheetPairs(ctx, n, s)})
	if v := s.Visit; v != nil {
		d.Blocks = append(d.Blocks, visitBlocks(ctx, n, *v)...)
		d.Blocks = append(d.Blocks, signatureBlock(ctx, s, v.At))
	} else {
		d.Blocks = append(d.Blocks, paper.Signatures{Signatures: []paper.Signature{{Label: ui.T(ctx, "measure_side.user")}, {Label: ui.T(ctx, "measure_side.company")}}})
	}
	if seal := phrase(ctx, s.Template.Seal); seal != "" {
		d.Blocks = append(d.Blocks, paper.Space{Height: 6}, paper.Seal{Place: seal, Date: longDay(httpx.Lang(ctx), s.Document.Made.Date()), Note: ui.T(ctx, "measurepage.paper.seal")})
	}
	if s.Template.Copies > 1 {
		d.Blocks = append(d.Blocks, paper.Paragraph{Text: ui.T(ctx, "measurepage.paper.copies", "n", s.Template.Copies), Small: true})
	}
	if check != "" {
		d.Blocks = append(d.Blocks, paper.Code{Content: check, Caption: ui.T(ctx, "measurepage.paper.check")})
	}
	return d
}

func sheetPairs(ctx context.Context, n measureNames, s measure.Sheet) []paper.Pair {
	m := s.Measurement
	facts := []ui.Fact{
		{Key: "measurepage.no", Text: m.No},
		{Key: "measurepage.address", Text: m.Address},
		{Key: "measurepage.account", Text: m.Account},
		{Key: "measurepage.contact", Text: strings.TrimSpace(m.ContactName + " " + m.ContactPhone)},
		{Key: "measurepage.company", Text: n.org(ctx, m.Company)},
		{Key: "measurepage.requested", Text: m.RequestedAt.Minute()},
		{Key: "measurepage.source", Text: ui.T(ctx, "measure_source."+string(m.Source))},
		{Key: "measurepage.appointed", Text: spanOf(m.From, m.To)},
		{Key: "measurepage.case", Text: m.CaseNo},
	}
	if s.Visit != nil {
		facts = append(facts, visitFacts(ctx, n, *s.Visit)...)
		if s.Visit.Outcome != "" {
			facts = append(facts, ui.Fact{Key: "measurepage.outcome", Text: ui.T(ctx, "measure_outcome."+string(s.Visit.Outcome))})
		}
	}
	facts = append(facts, invitationFacts(ctx, n, s.Record)...)
	var out []paper.Pair
	for _, f := range facts {
		if f.Text != "" {
			out = append(out, paper.Pair{Label: ui.T(ctx, f.Key), Value: f.Text})
		}
	}
	return out
}

// invitationFacts say who measures when, of a written invitation.
func invitationFacts(ctx context.Context, n measureNames, r *measure.Record) []ui.Fact {
	if r == nil || r.Kind != measure.KindInvitation {
		return nil
	}
	var in struct {
		Laboratory string        `json:"laboratory"`
		At         civil.Instant `json:"at"`
	}
	if r.Into(&in) != nil {
		return nil
	}
	return []ui.Fact{{Key: "measurepage.laboratory", Text: n.org(ctx, in.Laboratory)}, {Key: "measurepage.lab_at", Text: in.At.Minute()}}
}

func visitBlocks(ctx context.Context, n measureNames, v measure.Visit) []paper.Block {
	var out []paper.Block
	if v.Readings != nil {
		t := paper.Table{Columns: []paper.Column{
			{Title: ui.T(ctx, "measurepage.room"), Width: 3},
			{Title: ui.T(ctx, "measurepage.read_at"), Width: 3},
			{Title: ui.T(ctx, "measurepage.temp"), Width: 2, Align: paper.Right},
			{Title: ui.T(ctx, "measurepage.standard"), Width: 2, Align: paper.Right},
			{Title: ui.T(ctx, "measurepage.result"), Width: 3},
		}}
		for _, l := range readings(ctx, v.Readings.Rooms, v.Result) {
			result := ""
			switch {
			case l.judged && l.cold:
				result = ui.T(ctx, "measurepage.short", "c", l.short)
			case l.judged:
				result = ui.T(ctx, "measurepage.warm")
			}
			t.Rows = append(t.Rows, []string{l.room, l.at, l.temp, l.standard, result})
		}
		out = append(out, paper.Space{Height: 3}, t)
	}
	if v.Result != nil {
		out = append(out, paper.Paragraph{Text: ui.T(ctx, "measurepage.paper.result", "result", resultWords(ctx, v.Result))})
	}
	for _, line := range deviations(ctx, n, v) {
		out = append(out, paper.Paragraph{Text: "· " + line, Small: true})
	}
	return append(out, paper.Space{Height: 3})
}

// signatureBlock shows who signed, as drawn where the reader may see it; nobody yet leaves lines to sign on.
func signatureBlock(ctx context.Context, s measure.Sheet, at civil.Instant) paper.Block {
	var out []paper.Signature
	for _, g := range s.Signers {
		one := paper.Signature{Label: ui.T(ctx, "measure_side."+string(g.Side)), Name: signerWords(ctx, g.Name, g.Relation, g.Refused), When: at.Minute()}
		if b, err := drawnStrokes(g.Strokes); err == nil {
			one.Drawn = b
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		out = []paper.Signature{{Label: ui.T(ctx, "measure_side.user")}, {Label: ui.T(ctx, "measure_side.company")}}
	}
	return paper.Signatures{Signatures: out}
}
