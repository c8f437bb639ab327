package register_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

const city = 990100

// desk is the services on one database.
type desk struct {
	*register.Service
	t           *testing.T
	d           *db.DB
	places      *place.Service
	territories *territory.Service
	root        actor.Actor
}

func newDesk(t *testing.T, d *db.DB) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{t: t, d: d, root: actor.SystemFor("import", actor.Command), places: place.New(d, ring)}
	k.territories = territory.NewService(d, k.places, time.Now)
	k.Service = register.New(register.Options{
		DB: d, Ring: ring, Places: k.places, Territories: k.territories, Patience: 200 * time.Millisecond, Batch: 7,
	})
	return k
}

func (k *desk) try(in register.Request, content string) (register.Report, error) {
	in.City = city
	return k.Import(context.Background(), k.root, in, strings.NewReader(content))
}

func (k *desk) load(kind place.Kind, content string) register.Report {
	k.t.Helper()
	return k.loadAs(register.Request{Kind: kind}, content)
}

func (k *desk) loadAs(in register.Request, content string) register.Report {
	k.t.Helper()
	r, err := k.try(in, content)
	if err != nil {
		k.t.Fatalf("import %s: %v %v", in.Kind, err, say(r.Faults))
	}
	return r
}

// refused expects the faults of some rows, told as row:column:key.
func (k *desk) refused(in register.Request, content string, want ...string) {
	k.t.Helper()
	r, err := k.try(in, content)
	if !fault.Is(err, fault.Invalid) {
		k.t.Fatalf("import %s: %v; want Invalid", in.Kind, err)
	}
	if diff := cmp.Diff(want, tell(r.Faults)); diff != "" {
		k.t.Errorf("faults of %s: %s\n%v", in.Kind, diff, say(r.Faults))
	}
}

func tell(list []register.RowFault) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%d:%s:%s", f.Row, f.Column, f.Message.Key))
	}
	return out
}

func say(list []register.RowFault) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%d %s %s", f.Row, f.Column, f.Message.In(text.EN)))
	}
	return out
}

func counts(r register.Report) [4]int { return [4]int{r.Rows, r.Added, r.Changed, r.Unchanged} }

const companies = "企业代码,企业名称,电话,许可证号,许可证有效期\nC1,暖城热力,0351-1234567,晋供热001,2028-10-31\nC2,南湖热电,0351-7654321,,\nC3,城东供热,,,\n"

var middle = geo.Point{Lng: 117.0, Lat: 36.0}

// box is a feature: a rectangle in metres around the middle of the city.
func box(area, company string, west, south, east, north float64) string {
	var ring []string
	for _, p := range []geo.Point{middle.Move(west, south), middle.Move(east, south), middle.Move(east, north), middle.Move(west, north), middle.Move(west, south)} {
		ring = append(ring, fmt.Sprintf("[%.8f,%.8f]", p.Lng, p.Lat))
	}
	return fmt.Sprintf(`{"type":"Feature","properties":{"area":%q,"company":%q,"station":"S-%s"},"geometry":{"type":"Polygon","coordinates":[[%s]]}}`,
		area, company, area, strings.Join(ring, ","))
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func at(east, north float64) string {
	p := middle.Move(east, north)
	return fmt.Sprintf("%.7f,%.7f", p.Lng, p.Lat)
}

var (
	areas       = collection(box("A1", "C1", -2000, -2000, 0, 2000), box("A2", "C2", 0, -2000, 2000, 2000))
	communities = "小区,别名,区县,街道,地址,lng,lat,company,area,管理方式,热力站,高低区,接入状态\n" +
		"阳光花园,阳光小区；阳光苑,南湖区,建国街道,建设路12号," + at(-1000, 500) + ",,A1,直管,S1,高区、低区,是\n" +
		"翡翠名邸,,北山区,,北山路66号," + at(1000, 500) + ",,,转供,,,\n" +
		"幸福里,,南湖区,,湖滨路8号," + at(-500, -500) + ",,,,,,\n" +
		"幸福里,,北山区,,景山大街20号," + at(500, -500) + ",,,,,,\n" +
		"自暖花苑,,北山区,,,,,C3,L9,,,,自采暖\n"
	buildings  = "小区,楼号,企业,辖区\n阳光花园,3号楼,,\n阳光花园,5,C2,\n"
	households = "户号,小区,区县,楼号,单元,房号,户主,电话,面积,用热状态,是否缴费,立管\n" +
		"H001,阳光花园,,3号楼,2单元,601室,王小明,13812345678,98.50,待开栓,是,R1\n" +
		"H002,翡翠名邸,北山区,1,1,101,李四,0351-1112222,120,用热,否,\n" +
		"H003,幸福里,北山区,2,1,1203,,,,报停,,\n"
	duty = "企业,热力站,开始,结束,姓名,电话,备用电话,值班领导\nC1,S1,2026-01-15 08:00,2026-01-16 08:00,张三,13900000001,赵六 13900000002,钱总13900000003\nC1,,2026-01-15 08:00,,调度,0351-9999999,,\n"
)

// everything imports a small city.
func (k *desk) everything() {
	k.t.Helper()
	k.load(place.Companies, companies)
	k.load(place.Areas, areas)
	k.load(place.Communities, communities)
	k.load(place.Buildings, buildings)
	k.load(place.Households, households)
	k.load(place.Duty, duty)
}

func (k *desk) ask(query string) territory.Answer {
	k.t.Helper()
	a, err := k.territories.Attribute(context.Background(), k.root, city, territory.Query{Text: query})
	if err != nil {
		k.t.Fatal(err)
	}
	return a
}

func TestACityFromItsLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.everything()
		if a := k.ask("阳光苑3号楼2单元601不热"); a.Company != "C1" || a.Area != "A1" || a.Station != "S1" || a.Management != territory.Direct {
			t.Errorf("by another name: %+v", a)
		}
		if a := k.ask("阳光花园5号楼"); a.Company != "C2" || a.Method != territory.ByBuilding {
			t.Errorf("a building of its own: %+v", a)
		}
		if a := k.ask("翡翠名邸1号楼101"); a.Company != "C2" || a.Area != "A2" {
			t.Errorf("by the ground: %+v", a)
		}
		if a := k.ask("自暖花苑"); a.Decision != territory.NotServed {
			t.Errorf("heats by itself: %+v", a)
		}
		a, err := k.territories.Attribute(ctx, k.root, city, territory.Query{Household: "H001"})
		if err != nil || a.Company != "C1" || a.Room != "601" || a.HeatStatus != territory.HeatWaitingValve {
			t.Errorf("by account: %+v, %v", a, err)
		}
		six := 6
		got, err := k.places.Household(ctx, k.root, city, "H001")
		want := place.Household{
			Account: "H001", Community: got.Community, CommunityName: "阳光花园", District: "南湖区", Building: "3", Unit: "2", Room: "601", Floor: &six,
			Holder: "王**", Phone: "138****5678", AreaM2: "98.5", HeatStatus: "waiting_valve", Paid: "yes", Station: "S1", Riser: "R1", Company: "C1", Area: "A1",
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		org, err := db.Read(ctx, d, func(tx *db.Tx) (staff.Organisation, error) {
			o, _, err := staff.OrganisationIn(ctx, tx, city, "C2")
			return o, err
		})
		if err != nil || org.NameZH != "南湖热电" || org.Kind != staff.Company {
			t.Errorf("organisation of a company: %+v, %v", org, err)
		}
		chain, err := k.places.DutyChain(ctx, k.root, city, "C1", "S1", dbtest.Start.Add(time.Hour))
		var numbers []string
		for _, c := range chain {
			numbers = append(numbers, string(c.Rung)+" "+c.Phone)
		}
		wantChain := []string{"station 13900000001", "company 0351-9999999", "leader 13900000003", "backup 13900000002", "desk 0351-1234567"}
		if diff := cmp.Diff(wantChain, numbers); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func TestTheSameListTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.everything()
		generation := func() int64 {
			n, err := db.Read(ctx, d, func(tx *db.Tx) (int64, error) { return db.Generation(ctx, tx, city, "territory") })
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := generation()
		for kind, content := range map[place.Kind]string{
			place.Companies: companies, place.Areas: areas, place.Communities: communities, place.Buildings: buildings, place.Households: households, place.Duty: duty,
		} {
			if r := k.load(kind, content); r.Added+r.Changed != 0 || r.Unchanged != r.Rows {
				t.Errorf("%s again: %v", kind, counts(r))
			}
		}
		if generation() != before {
			t.Error("importing the same twice made the index stale")
		}
		changed := strings.Replace(households, "98.50", "99", 1) + "H004,翡翠名邸,,1,1,102,,,,,,\n"
		if r := k.load(place.Households, changed); counts(r) != [4]int{4, 1, 1, 2} {
			t.Errorf("one changed and one new: %v", counts(r))
		}
		if h, err := k.places.Household(ctx, k.root, city, "H001"); err != nil || h.AreaM2 != "99" {
			t.Errorf("got %+v, %v", h, err)
		}
		n, err := db.Read(ctx, d, func(tx *db.Tx) (int64, error) {
			return db.One[int64](ctx, tx, `SELECT (SELECT count(*) FROM household WHERE city_id = $1) + (SELECT count(*) FROM import_row WHERE city_id = $1)`, city)
		})
		if err != nil || n != 4 {
			t.Errorf("%d rows are left behind, %v; want the 4 households", n, err)
		}
	})
}

func TestFaultsStopEverything(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.load(place.Companies, companies)
		k.refused(register.Request{Kind: place.Areas}, collection(
			box("A1", "C1", 0, 0, 100, 100), box("A2", "C9", 200, 0, 300, 100), box("A1", "C1", 400, 0, 500, 100), box("", "C1", 600, 0, 700, 100),
			`{"type":"Feature","properties":{"area":"A5","company":"C1"},"geometry":{"type":"Polygon","coordinates":[[[117,36],[117.01,36.01],[117.01,36],[117,36.01],[117,36]]]}}`,
		), "1:area:register.twice", "2:company:register.no_company", "3:area:register.twice", "4:area:field.required", "5:geometry:geo.crossing")
		k.refused(register.Request{Kind: place.Areas}, collection(box("A1", "C1", 0, 0, 1000, 1000), box("A2", "C2", 900, 0, 2000, 1000)),
			"1:geometry:register.overlap", "2:geometry:register.overlap")
		k.refused(register.Request{Kind: place.Communities}, "name,district,company,area\n甲,D1,C9,\n乙,D1,C1,A1\n丙,D1,C1,A1\n乙,D1,C1,A2\n,D1,,\n丙,D1,C1,A1\n丁,D1,C1,A1;A2\n丙,,,\n",
			"2:company:register.no_company", "3:area:register.two_areas", "4:name:register.twice", "5:area:register.two_areas", "6:name:field.required",
			"7:name:register.twice", "8:area:register.two_areas_cell", "9:district:register.district_needed")
		k.load(place.Communities, "name,district\n甲,D1\n乙,D1\n乙,D2\n")
		var rows strings.Builder
		rows.WriteString("account,community,area_m2,heat_status\n")
		for i := range 100 {
			fmt.Fprintf(&rows, "H%03d,甲,80.5,用热\n", i)
		}
		rows.WriteString("H100,乙,80,用热\nH101,丙,80,用热\nH102,甲,八十,用热\nH103,甲,80,热\nH007,甲,80,用热\n")
		k.refused(register.Request{Kind: place.Households}, rows.String(), "9::register.twice", "102:district:register.which_district",
			"103:community:register.no_community", "104:area_m2:register.bad_number", "105:heat_status:register.bad_word", "106::register.twice")
		if _, err := k.places.Household(ctx, k.root, city, "H050"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a row of a refused list is there: %v", err)
		}
		if _, err := k.try(register.Request{Kind: place.Households}, "小区,面积\n甲,80\n"); !fault.Is(err, fault.Invalid) {
			t.Errorf("no account column: %v", err)
		}
		k.refused(register.Request{Kind: place.Duty}, "company,station,from,to,phone\nC1,S1,昨天,,138\nC1,S1,2026-01-15 08:00,2026-01-15 07:00,\n",
			"2:from:register.bad_time", "3:to:place.shift_ends_first")
		k.refused(register.Request{Kind: place.Households}, "account\n", "0::register.empty")
		if r := k.load(place.Households, "account,community\nH1,甲\n"); r.Added != 1 {
			t.Errorf("a good list after bad ones: %v", counts(r))
		}
	})
}

func TestSliversAreWarnings(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.load(place.Companies, companies)
	r := k.load(place.Areas, collection(box("A1", "C1", -2000, -2000, 1, 2000), box("A2", "C2", 0, -2000, 2000, 2000)))
	if diff := cmp.Diff([]string{"1:geometry:register.sliver", "2:geometry:register.sliver"}, tell(r.Warnings)); diff != "" {
		t.Error(diff)
	}
	if r.Added != 2 {
		t.Errorf("added %d", r.Added)
	}
}

func TestListsAsOfficesSaveThem(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(companies)
	if err != nil {
		t.Fatal(err)
	}
	if r := k.load(place.Companies, gb); r.Added != 3 {
		t.Errorf("GB 18030: %v", counts(r))
	}
	if r := k.load(place.Companies, "\ufeff"+strings.ReplaceAll(companies, ",", "\t")); r.Unchanged != 3 {
		t.Errorf("with tabs: %v", counts(r))
	}
	var book bytes.Buffer
	x, err := sheet.NewWriter(&book, sheet.XLSX, "企业代码", "企业名称", "电话", "许可证号", "许可证有效期")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.Row("C2", "南湖热电", "0351-7654321", nil, nil), x.Row("C9", "新企业", nil, nil, "2030-01-01"), x.Close()); err != nil {
		t.Fatal(err)
	}
	if r := k.load(place.Companies, book.String()); counts(r) != [4]int{2, 1, 0, 1} {
		t.Errorf("XLSX: %v", counts(r))
	}
	gcj := geo.ToGCJ02(middle)
	k.loadAs(register.Request{Kind: place.Communities, CRS: geo.GCJ02}, fmt.Sprintf("name,district,lng,lat,备注\n甲,D1,%.8f,%.8f,x\n", gcj.Lng, gcj.Lat))
	list, err := k.places.Communities(context.Background(), k.root, city, place.CommunityFilter{Query: "甲"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Point().Metres(middle) > 1 {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.everything()
		r := k.loadAs(register.Request{Kind: place.Households, DryRun: true}, strings.Replace(households, "98.50", "50", 1)+"H9,阳光花园,,1,1,1,,,,,,\n")
		if counts(r) != [4]int{4, 1, 1, 2} {
			t.Errorf("got %v", counts(r))
		}
		if h, err := k.places.Household(context.Background(), k.root, city, "H001"); err != nil || h.AreaM2 != "98.5" {
			t.Errorf("got %+v, %v", h, err)
		}
		if r := k.load(place.Households, households); r.Unchanged != 3 {
			t.Errorf("after it: %v", counts(r))
		}
	})
}

func TestAPartOfTheColumnsChangesAPart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.everything()
		if r := k.load(place.Households, "户号,用热状态\nH001,用热\nH002,用热\n"); counts(r) != [4]int{2, 0, 1, 1} {
			t.Errorf("got %v", counts(r))
		}
		h, err := k.places.Household(ctx, k.root, city, "H001")
		if err != nil || h.HeatStatus != "on" || h.Phone != "138****5678" || h.Room != "601" || h.AreaM2 != "98.5" {
			t.Errorf("got %+v, %v", h, err)
		}
		k.load(place.Companies, "code,phone\nC1,0351-0000000\n")
		all, err := k.places.Companies(ctx, k.root, city)
		if err != nil || len(all) != 3 || all[0].Name != "暖城热力" || all[0].Phone != "0351-0000000" {
			t.Errorf("got %+v, %v", all, err)
		}
	})
}

func TestANewVersion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.territories.OpenCases = func(_ context.Context, _ *db.Tx, _ int, ids []string) (map[string]int, error) {
			return map[string]int{ids[0]: 3}, nil
		}
		k.everything()
		k.ask("阳光花园3号楼")
		start := dbtest.Start.Date().AddDays(-10)
		r := k.loadAs(register.Request{Kind: place.Areas, Version: "2026", From: start, Source: "并政办发〔2026〕1号"},
			collection(box("A1", "C3", -2000, 0, 0, 2000), box("A2", "C2", 0, -2000, 2000, 2000)))
		if r.Version != "2026" || r.Diff == nil || r.Diff.OpenCases != 3 {
			t.Fatalf("got %+v", r)
		}
		var moved []string
		for _, c := range r.Diff.Communities {
			moved = append(moved, fmt.Sprintf("%s %s %s→%s %s", c.District, c.Name, c.From, c.To, c.Reason.Key))
		}
		want := []string{"南湖区 幸福里 C1→ territory.moved.left_out", "南湖区 阳光花园 C1→C3 territory.moved.area_company"}
		if diff := cmp.Diff(want, moved); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"0:geometry:register.uncovered", "0::register.left_out"}, tell(r.Warnings)); diff != "" {
			t.Error(diff)
		}
		if a := k.ask("阳光花园3号楼"); a.Company != "C3" || a.Changed == nil || a.Changed.From != "C1" || a.Changed.Since != start || a.Changed.Confirmed {
			t.Errorf("at once after the import: %+v %+v", a, a.Changed)
		}
		a, err := k.territories.Attribute(context.Background(), k.root, city, territory.Query{Text: "阳光花园3号楼", At: start.AddDays(-1).Start()})
		if err != nil || a.Company != "C1" {
			t.Errorf("the day before: %+v, %v", a, err)
		}
		r = k.loadAs(register.Request{Kind: place.Communities, Version: "2026"}, "小区,区县,企业\n幸福里,南湖区,C2\n")
		if r.Changed != 1 || k.ask("南湖区幸福里1号楼").Company != "C2" {
			t.Errorf("by list: %v, %+v", counts(r), k.ask("南湖区幸福里1号楼"))
		}
		if _, err := k.try(register.Request{Kind: place.Areas, Version: "2026", From: civil.NewDate(2026, 5, 1)}, areas); !fault.Is(err, fault.Conflict) {
			t.Errorf("another day for a version: %v; want Conflict", err)
		}
	})
}

func TestWhoMayImport(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.everything()
	as := func(role actor.Role, org string) actor.Actor {
		return actor.Actor{ID: "u", Kind: actor.Person, Org: org, Grants: []actor.Grant{{Role: role, City: city}}}
	}
	for _, c := range []struct {
		by   actor.Actor
		kind place.Kind
		file string
		want fault.Kind
		ok   bool
	}{
		{as(actor.RoleSeat, ""), place.Households, households, fault.Denied, false},
		{as(actor.RoleCompany, "C1"), place.Households, households, fault.Denied, false},
		{as(actor.RoleCompany, "C1"), place.Duty, duty, 0, true},
		{as(actor.RoleCompany, "C2"), place.Duty, duty, fault.Invalid, false},
		{as(actor.RoleSectionHead, ""), place.Companies, companies + "C4,新企业,,,\n", 0, true},
	} {
		_, err := k.Import(context.Background(), c.by, register.Request{City: city, Kind: c.kind}, strings.NewReader(c.file))
		if (err == nil) != c.ok || !c.ok && !fault.Is(err, c.want) {
			t.Errorf("%s imports %s: %v", c.by.Grants[0].Role, c.kind, err)
		}
	}
}

func TestNothingPersonalIsKeptInTheClear(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	k, ctx := newDesk(t, d), context.Background()
	k.everything()
	_, err := db.Read(ctx, d, func(tx *db.Tx) (int, error) {
		return 0, db.EachRow(ctx, tx, func(row []any) error {
			if s := fmt.Sprint(row...); strings.Contains(s, "13812345678") || strings.Contains(s, "王小明") {
				t.Errorf("in the clear: %s", s)
			}
			return nil
		}, `SELECT * FROM household WHERE city_id = $1`, city)
	})
	if err != nil {
		t.Fatal(err)
	}
	seat := actor.Actor{ID: "s", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
	got, err := k.places.ByPhone(ctx, seat, city, "138 1234 5678")
	if err != nil || len(got) != 1 || got[0].Account != "H001" {
		t.Errorf("by telephone: %+v, %v", got, err)
	}
	c, err := k.places.Reveal(ctx, seat, city, "H001", "回拨")
	if err != nil || c != (place.Contact{Holder: "王小明", Phone: "13812345678"}) {
		t.Errorf("revealed: %+v, %v", c, err)
	}
	if _, err := k.places.Reveal(ctx, seat, city, "H001", " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a reason: %v", err)
	}
}

func TestEveryMessageIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"register.faults", "register.taken_over", "register.runs", "register.overlap_unknown", "register.map_too_large", "register.bad_lng", "register.bad_lat",
		"register.bad_day", "register.bad_key", "register.area_unknown", "register.other_than_area", "register.outside_area", "register.unknown_column", "act.register.import",
	} {
		if !text.Has(key) {
			t.Errorf("%s is missing", key)
		}
	}
	for _, k := range place.Kinds() {
		if !text.Has("place_kind." + string(k)) {
			t.Errorf("%s has no name", k)
		}
	}
}
