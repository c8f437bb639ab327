package secret_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/secret"
)

func TestMaskPhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"13812346438": "138****6438", "+86 138 1234 6438": "138****6438", "１３８１２３４６４３８": "138****6438",
		"0351-4123456": "0351-****456", "010-62345678": "010-****5678", "+86 351 4123456": "0351-****456", "0351-4123456转801": "0351-****456",
		"4123456": "****456", "": "", "12345": "*****", "138****6438": "138****6438",
	} {
		if got := secret.MaskPhone(in); got != want {
			t.Errorf("MaskPhone(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestMaskNameAndID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"王小明": "王**", "王明": "王*", "欧阳锋": "欧阳*", "欧阳": "欧*", "司马相如": "司马**", "王": "*", "": "", "John Smith": "J***",
		"阿卜杜拉·买买提": "阿**", "王**": "王**",
	} {
		if got := secret.MaskName(in); got != want {
			t.Errorf("MaskName(%q) = %q; want %q", in, got, want)
		}
	}
	if got, want := secret.MaskID("140105199003071234"), "1401************34"; got != want {
		t.Errorf("MaskID = %q; want %q", got, want)
	}
}

func TestMaskText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"请打13812346438联系":                          "请打138****6438联系",
		"请打138 1234 6438，或138-1234-6439":           "请打138 **** 6438，或138-****-6439",
		"电话１３８１２３４６４３８。":                           "电话１３８****６４３８。",
		"+86 13812346438 和8613812346438":           "+86 138****6438 和86138****6438",
		"座机0351-4123456，（010）62345678":             "座机0351-****456，（010）****5678",
		"+86 351 412 3456":                         "+86 351 *** *456",
		"身份证140105199003071234，14010519900307123X": "身份证1401************34，1401************3X",
		"身份证 140105 19900307 123x":                 "身份证 1401** ******** **3x",
		"3-2-601 13812346438":                      "3-2-601 138****6438",
		"13812346438 13912346438":                  "138****6438 139****6438",
		"138.1234.6438":                            "138.****.6438",
		"工单20260115000123456789":                   "工单20260115000123456789",
		"室温18.5度，2026-01-15 08:00测":                "室温18.5度，2026-01-15 08:00测",
		"户号863514123456，3号楼2单元601":                 "户号863514123456，3号楼2单元601",
		"拨打12345和96315没人接":                         "拨打12345和96315没人接",
	} {
		if got := secret.MaskText(in); got != want {
			t.Errorf("MaskText(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

// TestMaskTextHidesEveryMobile writes numbers as people do, between any words.
func TestMaskTextHidesEveryMobile(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{"", "我家太冷了，", "3号楼2单元601室 ", "tel:", "，", "温度16.5℃ ", "+86 ", "\n"})
	gap := rapid.SampledFrom([]string{"", " ", "-", "－", "　", ") ", "（"})
	rapid.Check(t, func(t *rapid.T) {
		number := fmt.Sprintf("1%d%09d", rapid.IntRange(3, 9).Draw(t, "second"), rapid.IntRange(0, 999999999).Draw(t, "rest"))
		var spelt strings.Builder
		wide := rapid.Bool().Draw(t, "wide")
		for i, r := range number {
			if i == 3 || i == 7 {
				spelt.WriteString(gap.Draw(t, "gap"))
			}
			if wide {
				r += '０' - '0'
			}
			spelt.WriteRune(r)
		}
		in := words.Draw(t, "before") + spelt.String() + rapid.SampledFrom([]string{"", "，谢谢", "。", " 王"}).Draw(t, "after")
		out := secret.MaskText(in)
		if utf8.RuneCountInString(in) != utf8.RuneCountInString(out) {
			t.Fatalf("%q became %q: characters moved", in, out)
		}
		if stars := strings.Count(out, "*"); stars != 4 {
			t.Fatalf("%q became %q: %d digits hidden, want 4", in, out, stars)
		}
		if twice := secret.MaskText(out); twice != out {
			t.Fatalf("masking twice gives %q", twice)
		}
	})
}

func TestNormalName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{" 王 小明 ": "王小明", "John  SMITH": "john smith", "阿卜杜拉•买买提": "阿卜杜拉·买买提", "Ｗａｎｇ": "wang"} {
		if got := secret.NormalName(in); got != want {
			t.Errorf("NormalName(%q) = %q; want %q", in, got, want)
		}
	}
}
