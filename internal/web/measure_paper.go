package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
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

// measureSheet fills the pack's form of a document in, field by field, from the record; what the record does not know stays
// empty to be written by hand. Below stand the readings, what deviates, and the signatures. check is where the document can
// be looked up again; empty prints no code.
func measureSheet(ctx context.Context, n measureNames, s measure.Sheet, check string) paper.Document {
	l := httpx.Lang(ctx)
	t := s.Template
	if t.Code == "" {
		t.Name = citypack.Phrase{ZH: s.Document.Code, EN: s.Document.Code} // the pack has dropped the form since
	}
	e := citypack.Entries{
		Issuer: n.org(ctx, s.Measurement.Company), Number: s.Document.No, Date: longDay(l, s.Document.Made.Date()),
		Values: sheetValues(ctx, n, s), Check: check, CheckNote: ui.T(ctx, "measurepage.paper.check"),
	}
	if v := s.Visit; v != nil {
		e.Middle = visitBlocks(ctx, n, *v)
	}
	e.Signatures = sheetSignatures(ctx, s)
	d := t.Sheet(l, e)
	d.Footer = strings.TrimPrefix(d.Footer+" · "+chainWords(ctx, s.Chain), " · ")
	return d
}

// sheetValue is something that a record knows, with the names that forms have for it. One that is always told stands on the
// sheet of a form without such a field too.
type sheetValue struct {
	value  string
	always bool
	fields []string
}

// sheetValues are the answers to the fields of the form.
func sheetValues(ctx context.Context, n measureNames, s measure.Sheet) []paper.Pair {
	m := s.Measurement
	all := []sheetValue{
		{m.ContactName, false, []string{"用户", "申请人", "委托人", "联系人"}},
		{m.Account, true, []string{"户号"}},
		{m.ContactPhone, false, []string{"联系电话"}},
		{m.Address, true, []string{"地址", "地点", "检测地点"}},
		{n.org(ctx, m.Company), false, []string{"供热企业"}},
		{m.RequestedAt.Minute(), false, []string{"申请时间"}},
		{ui.T(ctx, "measure_source."+string(m.Source)), false, []string{"申请渠道"}},
		{spanOf(m.From, m.To), false, []string{"约定入户时间"}},
		{ui.T(ctx, "measurepage.paper.purpose"), false, []string{"到访事由", "诉求"}},
	}
	if v := s.Visit; v != nil {
		all = append(all, visitValues(ctx, n, s, *v)...)
	}
	for _, f := range invitationFacts(ctx, n, s.Record) {
		all = append(all, sheetValue{f.Text, true, []string{map[string]string{"measurepage.laboratory": "检测机构", "measurepage.lab_at": "检测时间"}[f.Key]}})
	}
	var out []paper.Pair
	for _, one := range all {
		found := false
		for _, f := range one.fields {
			if slices.Contains(s.Template.Fields, f) {
				out, found = append(out, paper.Pair{Label: f, Value: one.value}), true
			}
		}
		if !found && one.always {
			out = append(out, paper.Pair{Label: one.fields[0], Value: one.value})
		}
	}
	return out
}

// visitValues are what is known of the visit that a sheet is about.
func visitValues(ctx context.Context, n measureNames, s measure.Sheet, v measure.Visit) []sheetValue {
	out := []sheetValue{{v.At.Minute(), true, []string{"检测时间", "复测时间", "到访时间", "时间"}}}
	if a := v.Arrival; a != nil {
		out = append(out,
			sheetValue{n.people(ctx, a.Testers), false, []string{"检测人", "到访人员", "人员"}},
			sheetValue{a.Reason, false, []string{"用户所述理由"}},
			sheetValue{refusalWords(ctx, v), false, []string{"拒绝检测或者拒绝签字的情形"}},
			sheetValue{a.CallLog, true, []string{ui.T(ctx, "measurepage.call_log")}})
	}
	if r := v.Readings; r != nil {
		height := ""
		if r.HeightCM > 0 {
			height = ui.T(ctx, "measurepage.paper.height", "n", r.HeightCM)
		}
		out = append(out,
			sheetValue{strings.TrimSpace(r.Tool.Number + " " + r.Tool.Model), true, []string{"仪器编号"}},
			sheetValue{verifiedWords(ctx, r.Tool), false, []string{"检定有效期至"}},
			sheetValue{r.WindowsSince.MonthDayClock(), false, []string{"门窗关闭时间"}},
			sheetValue{height, false, []string{"测点位置"}},
			sheetValue{tenthsWords(r.OutdoorC), true, []string{"室外温度"}},
			sheetValue{n.conditions(ctx, r.Conditions), false, []string{"设施状况"}},
			sheetValue{roomsWords(ctx, v), false, []string{"检测结果", "复测结果", "稳定读数", "读数"}},
			sheetValue{r.Note, true, []string{ui.T(ctx, "measurepage.note")}})
	}
	if s.Earlier != nil {
		out = append(out, sheetValue{roomsWords(ctx, *s.Earlier), false, []string{"上次检测结果"}}, sheetValue{s.EarlierNo, false, []string{"上次检测编号"}})
	}
	out = append(out, sheetValue{s.Cure, false, []string{"采取措施"}})
	for _, g := range s.Signers {
		is := ""
		if g.Relation != "" {
			is = firstKey(ctx, g.Relation, "measurepage.relation."+g.Relation)
		}
		switch g.Side {
		case measure.WitnessSide:
			out = append(out, sheetValue{g.Name, false, []string{"见证人"}}, sheetValue{is, false, []string{"见证人单位"}})
		case measure.UserSide:
			out = append(out, sheetValue{is, false, []string{"与用户关系"}})
		case measure.CompanySide:
		}
	}
	return out
}

// refusalWords say what was refused: the visit, or only the signature.
func refusalWords(ctx context.Context, v measure.Visit) string {
	if v.Outcome == measure.RefusedByUser || v.Outcome == measure.RefusedByCompany {
		return ui.T(ctx, "measure_outcome."+string(v.Outcome))
	}
	if slices.ContainsFunc(v.Signatures, func(g measure.KeptSignature) bool { return g.Refused }) {
		return ui.T(ctx, "measurepage.refused_to_sign")
	}
	return ""
}

func verifiedWords(ctx context.Context, t measure.Tool) string {
	fit := ui.T(ctx, "fitness."+string(t.Fitness))
	if t.ValidUntil.IsZero() {
		return fit
	}
	return t.ValidUntil.String() + " " + fit
}

// conditions are what the city's rules ask for and the tester found, in words.
func (n measureNames) conditions(ctx context.Context, codes []string) string {
	var out []string
	for _, c := range n.rules.Pack.Doc.Measurement.Conditions {
		if slices.Contains(codes, c.Code) {
			out = append(out, phrase(ctx, c.Text))
		}
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
}

// roomsWords say what a visit read and what that means.
func roomsWords(ctx context.Context, v measure.Visit) string {
	var out []string
	if v.Result != nil {
		for _, r := range v.Result.Rooms {
			out = append(out, readRoom(ctx, r.Room, r.Type)+" "+r.TempC.String()+" ℃")
		}
		out = append(out, resultWords(ctx, v.Result))
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
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

// sheetSignatures are who signed, as drawn where the reader may see it, each at the place that the form has for them.
func sheetSignatures(ctx context.Context, s measure.Sheet) []paper.Signature {
	places := map[measure.Side][]string{
		measure.UserSide: {"用户签字", "申请人签字"}, measure.CompanySide: {"检测人签字", "到访人员签字"}, measure.WitnessSide: {"见证人签字"},
	}
	both := slices.ContainsFunc(s.Template.Fields, func(f string) bool { return strings.HasPrefix(f, "双方") })
	var out []paper.Signature
	for _, g := range s.Signers {
		label := ui.T(ctx, "measure_side."+string(g.Side))
		for _, f := range places[g.Side] {
			if slices.Contains(s.Template.Fields, f) {
				label = f
				break
			}
		}
		if both && g.Side != measure.WitnessSide {
			label = ui.T(ctx, "paper.sign.user")
			if g.Side == measure.CompanySide {
				label = ui.T(ctx, "paper.sign.company")
			}
		}
		one := paper.Signature{Label: label, Name: signerWords(ctx, g.Name, g.Relation, g.Refused)}
		if s.Visit != nil {
			one.When = s.Visit.At.Minute()
		}
		if b, err := drawnStrokes(g.Strokes); err == nil {
			one.Drawn = b
		}
		out = append(out, one)
	}
	return out
}
