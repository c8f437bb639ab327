package place_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/place"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"3号楼": "3", "３栋": "3", "A座": "A", "a3#楼": "A3", " 12 号 楼 ": "12", "东1": "东1", "楼": "楼", "": ""} {
		if got := place.BuildingNo(in); got != want {
			t.Errorf("building %q: %q; want %q", in, got, want)
		}
	}
	if place.UnitNo("２单元") != "2" || place.RoomNo("601室") != "601" {
		t.Error("unit or room")
	}
	for room, want := range map[string]int{"601": 6, "1203": 12, "0601": 6, "601室": 6, "B-1203": 12, "3-2-601": 6, "99": 0, "12": 0, "东户": 0, "": 0, "12345": 0, "0012": 0} {
		got := 0
		if f := place.FloorOf(room); f != nil {
			got = *f
		}
		if got != want {
			t.Errorf("floor of %q: %d; want %d", room, got, want)
		}
	}
	for phone, want := range map[string]bool{"0351-1234567": true, "138 0000 0000": true, "+8613800000000": true, "12345": true, "不详": false, "": false, "1": false} {
		if place.MayDial(phone) != want {
			t.Errorf("may dial %q: %v", phone, !want)
		}
	}
}

func TestChainOffersNoNumberTwice(t *testing.T) {
	t.Parallel()
	s := &place.Shift{Station: "S1", Name: "张三", Phone: "13900000001", Leader: "张三13900000001", Backup: "备班李四：13900000002"}
	got := place.Chain(s, nil, place.Company{Name: "一热", Phone: "13900000002"})
	want := []place.Call{
		{Rung: place.RungStation, Name: "张三", Phone: "13900000001", Station: "S1"},
		{Rung: place.RungBackup, Name: "备班李四", Phone: "13900000002", Station: "S1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if place.Chain(nil, nil, place.Company{}) != nil {
		t.Error("numbers out of nothing")
	}
}

func TestSection(t *testing.T) {
	t.Parallel()
	flat := func(account, unit, room string) place.Household {
		return place.Household{Account: account, CommunityName: "阳光花园", Building: "3", Unit: unit, Room: room, Floor: place.FloorOf(room), HeatStatus: "on"}
	}
	s := place.SectionOf([]place.Household{
		flat("H1", "2", "101"), flat("H2", "2", "102"), flat("H3", "2", "201"), flat("H4", "10", "1101"), flat("H5", "2", "东户"), flat("H6", "2", "101"),
	})
	type drawn struct {
		Unit    string
		Columns []string
		Floors  []string
	}
	var got []drawn
	for _, u := range s.Units {
		d := drawn{Unit: u.Unit, Columns: u.Columns}
		for _, f := range u.Floors {
			row := ""
			for _, a := range f.Flats {
				if a == nil {
					row += "- "
					continue
				}
				row += a.Account + " "
			}
			d.Floors = append(d.Floors, row)
		}
		got = append(got, d)
	}
	want := []drawn{{"2", []string{"01", "02"}, []string{"H3 - ", "H1 H2 "}}, {"10", []string{"01"}, []string{"H4 "}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(s.Elsewhere) != 2 || s.Elsewhere[0].Account != "H5" || s.Elsewhere[1].Account != "H6" {
		t.Errorf("elsewhere: %+v", s.Elsewhere)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	var homes []place.Household // two units of six floors with two risers each
	for _, unit := range []string{"1", "2"} {
		for _, floor := range "123456" {
			for _, riser := range "12" {
				room := string(floor) + "0" + string(riser)
				homes = append(homes, place.Household{Account: unit + "-" + room, Unit: unit, Room: room, Floor: place.FloorOf(room)})
			}
		}
	}
	s := place.SectionOf(homes)
	for _, one := range []struct {
		want place.Pattern
		cold []string
	}{
		{place.PatternNone, nil},
		{place.PatternNone, []string{"3-101"}},
		{place.PatternFlat, []string{"1-301"}},
		{place.PatternRiser, []string{"1-301", "1-501"}},
		{place.PatternRiser, []string{"1-501", "1-601"}},
		{place.PatternTop, []string{"1-601", "1-502", "2-602"}},
		{place.PatternFloor, []string{"1-201", "1-202"}},
		{place.PatternScatter, []string{"1-201", "1-302"}},
		{place.PatternScatter, []string{"1-201", "2-301", "1-502", "2-602"}},
		{place.PatternMany, []string{"1-201", "2-301", "1-502", "2-602", "2-101"}},
	} {
		got := s.Pattern(func(account string) bool { return slices.Contains(one.cold, account) })
		if got != one.want {
			t.Errorf("%v: %s; want %s", one.cold, got, one.want)
		}
	}
}
