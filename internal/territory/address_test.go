package territory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/territory"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want territory.Address
	}{
		{"你好我家住在南湖区阳光花园三号楼2单元601", territory.Address{District: "南湖区", Community: "阳光花园", Building: "3", Unit: "2", Room: "601"}},
		{"暖城市南湖区建国街道建设路12号阳光花园3-2-601", territory.Address{District: "南湖区", Street: "建国街道", Road: "建设路", Number: "12", Community: "阳光花园", Building: "3", Unit: "2", Room: "601"}},
		{"东高村镇东高村社区12号楼", territory.Address{Street: "东高村镇", Community: "东高村社区", Building: "12"}},
		{"金色家园2单元6楼东户", territory.Address{Community: "金色家园", Unit: "2", Floor: "6", Room: "东户"}},
		{"人民大街甲8号", territory.Address{Road: "人民大街"}},
		{"阳光花园暖气不热，室温15度", territory.Address{Community: "阳光花园"}},
		{"", territory.Address{}},
	} {
		if diff := cmp.Diff(c.want, territory.ParseAddress(c.text)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.text, diff)
		}
	}
}

func TestParseAddressWithRegister(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	for _, c := range []struct {
		text string
		want territory.Address
	}{
		{"南湖阳光花园2期12栋一门三零二", territory.Address{District: "南湖区", Community: "阳光花园二期", Building: "12", Unit: "1", Room: "302"}},
		{"建设路12号3号楼", territory.Address{Road: "建设路", Number: "12", Building: "3"}},
	} {
		if diff := cmp.Diff(c.want, x.ParseAddress(c.text)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.text, diff)
		}
	}
}

// However an address is written, it is the same address.
func TestWritings(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	rapid.Check(t, func(t *rapid.T) {
		b, u := rapid.IntRange(1, 30).Draw(t, "building"), rapid.IntRange(1, 9).Draw(t, "unit")
		floor, flat := rapid.IntRange(1, 33).Draw(t, "floor"), rapid.IntRange(1, 4).Draw(t, "flat")
		room := number(floor) + "0" + number(flat)
		text := "金色家园" + rapid.SampledFrom([]string{
			number(b) + "号楼" + number(u) + "单元" + room, number(b) + "-" + number(u) + "-" + room, number(b) + "#" + number(u) + "-" + room + "室",
			"第" + number(b) + "栋" + number(u) + "门" + room + "室", number(b) + "号楼" + number(u) + "单元" + number(floor) + "楼" + room, number(b) + "号" + number(u) + "单元" + room + "房",
			chinese(b) + "号楼" + chinese(u) + "单元" + room, number(b) + " " + number(u) + " " + room, number(b) + "楼" + number(u) + "单元" + room,
		}).Draw(t, "writing")
		text = rapid.SampledFrom([]string{"", "你好，我住", "电话13912345678，", "2026年1月3号起，"}).Draw(t, "before") + text +
			rapid.SampledFrom([]string{"", "，室温15度", "不热", "，12345678901", "，交了2300元", " 来了3次人"}).Draw(t, "after")
		got := x.ParseAddress(text)
		if got.Building != number(b) || got.Unit != number(u) || got.Room != room {
			t.Fatalf("%s: got %+v", text, got)
		}
	})
}

// Nothing that people type makes the engine fail.
func TestAnyText(t *testing.T) {
	t.Parallel()
	x := territory.Build(city())
	parts := []string{"阳光花园", "3", "-", "号", "楼", "单元", "室", "一", "十", "区", "期", "路", "街", " ", "#", "A", "二期", "建设路", "南湖", "门", "层", ".", "，", "\n", "601", "138", "\xff", "东"}
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for range rapid.IntRange(0, 25).Draw(t, "parts") {
			text += rapid.SampledFrom(parts).Draw(t, "part")
		}
		a := x.Attribute(territory.Query{Text: text})
		if a.Decision == territory.Assigned && (a.Company == "" || a.Confidence < 0.8) || a.Confidence > 1 {
			t.Fatalf("%q: %+v", text, a)
		}
		territory.ParseAddress(text)
		x.Suggest(text, 5)
	})
}

func number(n int) string {
	if n >= 10 {
		return number(n/10) + number(n%10)
	}
	return string(rune('0' + n))
}

func chinese(n int) string {
	d := []rune("零一二三四五六七八九")
	switch {
	case n < 10:
		return string(d[n])
	case n == 10:
		return "十"
	case n < 20:
		return "十" + string(d[n%10])
	case n%10 == 0:
		return string(d[n/10]) + "十"
	}
	return string(d[n/10]) + "十" + string(d[n%10])
}
