package citypack_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// TestEveryCityHasTheDocuments: each document of measuring, finding and refund can be filled in and printed in every city, and a city's own name for it
// stands on it.
func TestEveryCityHasTheDocuments(t *testing.T) {
	t.Parallel()
	codes := []string{
		"test_request", "room_test_sheet", "not_home_slip", "retest_sheet", "refusal_witness", "lab_invitation", "finding", "mediation",
		"refund_confirm", "refund_statement", "stop_hours", "supervision_order",
	}
	set := embedded(t)
	var press paper.Press
	for _, known := range set.Cities() {
		pack, err := set.City(known.Code)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codes {
			tpl, ok := pack.Template(code)
			if !ok {
				t.Errorf("%d has no %s", known.Code, code)
				continue
			}
			if len(tpl.Fields) == 0 || tpl.Number != "" && pack.TemplateNumber(tpl, civil.Date{Year: 2026, Month: 1, Day: 10}, 7, "") == tpl.Number {
				t.Errorf("%d: %s cannot be filled in or numbered: %+v", known.Code, code, tpl)
			}
		}
	}
	pack := city(t, 370700)
	for _, code := range codes {
		tpl, _ := pack.Template(code)
		for _, l := range []text.Lang{text.ZH, text.EN} {
			if err := press.Print(&bytes.Buffer{}, tpl.Sheet(l, citypack.Entries{Issuer: "某供热企业", Number: "1", Date: "2026年1月10日"})); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	tpl := citypack.Template{
		Code: "room_test_sheet", Name: citypack.Phrase{ZH: "检测单", EN: "Test sheet"}, Fields: []string{"用户", "读数", "双方签字", "见证人签字"}, Copies: 2,
		Seal: citypack.Phrase{ZH: "检测机构", EN: "laboratory"},
	}
	drawn := paper.Signature{Label: "用户签字", Name: "张喆", Drawn: []byte{1}}
	got := tpl.Sheet(text.ZH, citypack.Entries{
		Issuer: "某检测机构", Number: "测20260110-0001", Date: "2026年1月10日",
		Values:     []paper.Pair{{Label: "读数", Value: "17.5 ℃"}, {Label: "室外温度", Value: "-9.0 ℃"}, {Label: "无值"}},
		Middle:     []paper.Block{paper.Heading{Text: "读数"}},
		Signatures: []paper.Signature{drawn},
		Check:      "https://example.org/v/1",
	})
	want := paper.Document{
		Language: text.ZH, Issuer: "某检测机构", Title: "检测单", Number: "测20260110-0001", Footer: "一式 2 份",
		Blocks: []paper.Block{
			paper.Pairs{Pairs: []paper.Pair{{Label: "用户"}, {Label: "读数", Value: "17.5 ℃"}, {Label: "室外温度", Value: "-9.0 ℃"}}},
			paper.Heading{Text: "读数"},
			paper.Signatures{Signatures: []paper.Signature{drawn, {Label: "供热企业签字"}, {Label: "见证人签字"}}},
			paper.Seal{Place: "某检测机构", Date: "2026年1月10日", Note: "（检测机构盖章）"},
			paper.Code{Content: "https://example.org/v/1"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sheet (-want +got):\n%s", diff)
	}
}
