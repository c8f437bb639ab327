package cases_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

const importCity = 990100

func onBoth(t *testing.T, fn func(t *testing.T, a *app.App)) {
	t.Helper()
	each := func(t *testing.T, url string) {
		t.Helper()
		cfg := config.Config{Data: t.TempDir(), Database: url, Cities: []int{importCity}}.WithDefaults()
		a, err := app.New(context.Background(), cfg, app.Options{Clock: func() civil.Instant { return dbtest.Start }, Fast: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close() })
		fn(t, a)
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); each(t, "") })
	if !dbtest.Quick() {
		t.Run("postgres", func(t *testing.T) { t.Parallel(); each(t, dbtest.PostgresURL(t)) })
	}
}

func TestImportOfTickets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, a *app.App) {
		ctx := context.Background()
		by := actor.SystemFor("import", actor.Command)
		take := func(csv string, dry bool) (cases.Imported, error) {
			return a.Cases.Import(ctx, by, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader(csv), DryRun: dry})
		}
		const night = "工单编号,来源,受理时间,姓名,联系电话,详细地址,类别,诉求内容\n" +
			"G1,,2026-01-14 20:15,王芳,13800006438,向阳花园3号楼2单元601,,家里不热，只有15度\n" +
			"G2,来电,2026/1/14 21:05,,,,,暖气管漏水\n"
		for _, c := range []struct {
			dry           bool
			opened, known int
		}{{true, 2, 0}, {false, 2, 0}, {false, 0, 2}, {true, 0, 2}} {
			got, err := take(night, c.dry)
			want := cases.Imported{DryRun: c.dry, Rows: 2, Opened: c.opened, Known: c.known}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatalf("dry %v: %v (-want +got):\n%s", c.dry, err, diff)
			}
		}
		list, err := a.Cases.List(ctx, by, importCity, cases.Filter{Request: page.Request{Size: 10}})
		if err != nil || len(list.Items) != 2 {
			t.Fatalf("%d cases, %v; want two", len(list.Items), err)
		}
		for _, c := range list.Items {
			if c.TicketNo == "G1" && (c.Channel != cases.Hotline || c.ReceivedAt != civil.On(civil.NewDate(2026, 1, 14), 20, 15)) {
				t.Errorf("the first ticket came by %s at %s; want 12345 at 20:15 of the day before", c.Channel, c.ReceivedAt)
			}
		}
	})
}

func TestImportNamesEveryFaultAndFilesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, a *app.App) {
		ctx := context.Background()
		by := actor.SystemFor("import", actor.Command)
		const bad = "ticket_no,channel,received_at,phone,category,text\n" +
			"G1,,2026-01-14 20:15,13800006438,,不热\n" +
			",,,,,不热\n" +
			"G3,pigeon,yesterday,12,fish,\n" +
			"G1,,,,,又打来\n" +
			"G5,,2026-02-01 08:00,,,明天的电话\n"
		got, err := a.Cases.Import(ctx, by, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader(bad)})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("a sheet with faults: %v; want Invalid", err)
		}
		var places []string
		for _, f := range got.Faults {
			places = append(places, string(rune('0'+f.Row))+" "+f.Column+" "+f.Message.Key)
		}
		want := []string{
			"3 ticket_no field.required", "4 channel case.import.no_channel", "4 category case.import.no_category",
			"4 received_at field.not_a_time", "4 phone case.bad_phone", "5 ticket_no case.import.twice", "6 received_at case.in_future",
		}
		if diff := cmp.Diff(want, places); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
		list, err := a.Cases.List(ctx, by, importCity, cases.Filter{Request: page.Request{Size: 10}})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("%d cases, %v; want none", len(list.Items), err)
		}
		seat := actor.Actor{ID: "seat", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: importCity}}}
		if _, err := a.Cases.Import(ctx, seat, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader(bad)}); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat imports: %v; want Denied", err)
		}
		if _, err := a.Cases.Import(ctx, by, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader("ticket_no,text\n")}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an empty sheet: %v; want Invalid", err)
		}
	})
}

func TestImportOfChangedTickets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, a *app.App) {
		ctx := context.Background()
		by := actor.SystemFor("import", actor.Command)
		const head = "ticket_no,received_at,name,phone,address,category,text\n"
		take := func(row string, want cases.Imported) {
			t.Helper()
			want.Rows = 1
			for _, dry := range []bool{true, false} {
				want.DryRun = dry
				got, err := a.Cases.Import(ctx, by, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader(head + row), DryRun: dry})
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Fatalf("%s, dry %v: %v (-want +got):\n%s", row, dry, err, diff)
				}
			}
		}
		the := func() cases.Case {
			t.Helper()
			list, err := a.Cases.List(ctx, by, importCity, cases.Filter{})
			if err != nil || len(list.Items) != 1 {
				t.Fatalf("%d cases, %v", len(list.Items), err)
			}
			return list.Items[0]
		}
		take("G1,2026-01-14 20:15,王芳,13800006438,向阳花园3号楼601,cold_home,不热", cases.Imported{Opened: 1})
		take("G1,2026-01-14 20:15,王芳,13800006438,向阳花园3号楼602,,不热", cases.Imported{Known: 1, Changed: 1})
		if c := the(); c.Address != "向阳花园3号楼602" || c.Category != "cold_home" {
			t.Errorf("after another address: %q, %s", c.Address, c.Category)
		}
		c := the()
		corrected := "向阳花园3号楼603"
		if _, err := a.Cases.Amend(ctx, by, cases.Amendment{Act: cases.Act{City: importCity, ID: c.ID, Version: c.Version}, Address: &corrected}); err != nil {
			t.Fatal(err)
		}
		take("G1,2026-01-14 20:15,王芳,13900006439,向阳花园3号楼602,cold_home,不热", cases.Imported{Known: 1, Changed: 1})
		take("G1,2026-01-14 20:15,王芳,13900006439,向阳花园3号楼602,cold_home,不热", cases.Imported{Known: 1})
		c = the()
		who, err := a.Cases.Reveal(ctx, by, cases.Act{City: importCity, ID: c.ID})
		if err != nil || who.Caller != (cases.Party{Name: "王芳", Phone: "13900006439"}) || who.Said != "不热" {
			t.Errorf("caller %+v, %v", who, err)
		}
		if c.Address != corrected {
			t.Errorf("the import took a correction back: %q", c.Address)
		}
		if _, err := a.Cases.Cancel(ctx, by, cases.Act{City: importCity, ID: c.ID, Version: c.Version, Reason: "重复登记"}); err != nil {
			t.Fatal(err)
		}
		take("G1,2026-01-14 20:15,王芳,13900006439,向阳花园9号楼,cold_home,不热", cases.Imported{Known: 1})
	})
}

func TestAdministratorsImportWithoutOtherRights(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, a *app.App) {
		admin := actor.Actor{ID: "admin", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleAdmin, City: importCity}}}
		got, err := a.Cases.Import(context.Background(), admin, cases.Sheet{City: importCity, Name: "t.csv", Reader: strings.NewReader("ticket_no,text\nG1,不热\n")})
		if err != nil || got.Opened != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
