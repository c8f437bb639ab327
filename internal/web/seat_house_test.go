package web_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web"
)

// town is a whole installation with its registers, as a seat and a resident find it.
type town struct {
	*house
	app *app.App
}

// registers are the lists of a small city: two estates of one name, and a household whose valve waits to be opened.
var registers = []struct {
	kind place.Kind
	csv  string
}{
	{place.Companies, "code,name\nC1,一热供热有限公司\nC2,二热供热有限公司\n"},
	{place.Communities, "name,district,company,connected\n向阳花园,东城区,C1,是\n明月里,西城区,C2,是\n幸福里,东城区,C1,是\n幸福里,西城区,C2,是\n"},
	{place.Buildings, "community,district,building\n向阳花园,东城区,3\n明月里,西城区,1\n"},
	{place.Households, "account,community,district,building,unit,room,holder,phone,heat_status\n" +
		"A1001,向阳花园,东城区,3,2,601,王桂兰,13803510001,用热\nA1002,向阳花园,东城区,3,2,602,赵大有,13803510002,待开栓\n"},
}

// both runs a test once with the file of SQLite and once with a database of PostgreSQL, as an installation is set up.
func both(t *testing.T, fn func(t *testing.T, on config.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, config.Config{})
	})
	if dbtest.Quick() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, config.Config{Database: dbtest.PostgresURL(t)})
	})
}

func newTown(t testing.TB, change ...func(*web.Options)) *town {
	t.Helper()
	return newTownWith(t, config.Config{}, change...)
}

// newTownWith opens an installation with further settings.
func newTownWith(t testing.TB, cfg config.Config, change ...func(*web.Options)) *town {
	t.Helper()
	cfg.Data, cfg.Cities = t.TempDir(), []int{city}
	clock := dbtest.NewClock()
	a, err := app.New(bg, cfg.WithDefaults(), app.Options{Clock: clock.Now, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, d: a.DB, clock: clock, staff: a.Staff, log: &bytes.Buffer{}, root: actor.SystemFor("test", actor.Command)}
	for _, o := range []staff.OrgInput{
		{City: city, Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务中心", NameEN: "Nuancheng heating centre"},
		{City: city, Code: "C1", Kind: staff.Company, NameZH: "一热供热有限公司", NameEN: "First Heating"},
		{City: city, Code: "C2", Kind: staff.Company, NameZH: "二热供热有限公司", NameEN: "Second Heating"},
	} {
		if _, err := a.Staff.SaveOrganisation(bg, h.root, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range registers {
		in := register.Request{City: city, Kind: l.kind, Version: "2025", From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := a.Register.Import(bg, h.root, in, strings.NewReader(l.csv)); err != nil {
			t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
	if _, err := a.Knowledge.Plant(bg, h.root, city, true); err != nil {
		t.Fatal(err)
	}
	o := web.Options{
		Deps: web.Deps{
			Staff: a.Staff, Audit: a.Audit, Jobs: a.Jobs, Rules: a.Rules, Places: a.Places, Residents: a.Residents, Territory: a.Territory, Cases: a.Cases,
			Dispatch: a.Dispatch, Notices: a.Notices, Blobs: a.Blobs, Knowledge: a.Knowledge, Outages: a.Outages, Bulletins: a.Bulletins, Handovers: a.Handovers, Callbacks: a.Callbacks, Stats: a.Stats, Measure: a.Measure, Findings: a.Findings,
			Settle: a.Settle, Fees: a.Fees, Bundles: a.Bundles, Exchange: a.Exchange, Webhooks: a.Webhooks, Equipment: a.Equipment, Calls: a.Calls, Clues: a.Clues, Channels: a.Channels, Staffing: a.Staffing, Mail: a.Mail, Push: a.Push,
		},
		Site:   config.Site{Owner: "暖城市城市管理局", Phone: "12345", ICP: "暖ICP备00000001号"},
		Cities: func() []web.City { return []web.City{{Code: city, NameZH: "暖城市", NameEN: "Nuancheng"}} },
		Now:    clock.Now, Machine: time.Now, Rate: config.Rate{LoginPerMinute: 1000, ReportsPerHour: 1000, PublicPerMinute: 10000},
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	if h.pages, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h.pages)
	t.Cleanup(s.Close)
	h.url = s.URL
	return &town{h, a}
}

// focus puts the cursor into the first thing of a selector, as a reader does with Tab.
func focus(css string) chromedp.Action[chromedp.Void] {
	return chromedp.Focus(chromedp.CSS(css))
}
