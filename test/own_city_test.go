package test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/staff"
)

const ownCity = 990300

// ownTown is an installation of a city that wrote its own pack, the one of the walk through docs/refund-rules.md.
type ownTown struct {
	victim
	packs string
}

func newOwnTown(t *testing.T) *ownTown {
	t.Helper()
	walk, err := txtar.ParseFile("testdata/walk.txtar")
	if err != nil {
		t.Fatal(err)
	}
	o := &ownTown{victim: victim{t: t, data: t.TempDir(), city: "990300"}, packs: t.TempDir()}
	for _, f := range walk.Files {
		if f.Name == "our.yaml" {
			o.file(filepath.Join(o.packs, "990300-frosttown.yaml"), string(f.Data))
		}
	}
	o.more = []string{"--config", o.file(filepath.Join(o.data, "rehu.yaml"), "packs: "+o.packs+"\ncities: [990300]\n")}
	return o
}

func (o *ownTown) file(name, text string) string {
	o.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return name
}

// run is the binary with the city's settings; what it prints.
func (o *ownTown) run(ctx context.Context, args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(ctx, binary, slices.Concat(args, []string{"--data", o.data, "--city", "990300"}, o.more)...)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		o.t.Fatalf("rehu %s: %v\n%s%s", strings.Join(args, " "), err, out, log.String())
	}
	return string(out)
}

// lists hands over a company, an estate, two homes and their bills.
func (o *ownTown) lists(ctx context.Context) {
	o.t.Helper()
	dir := o.t.TempDir()
	for _, l := range []struct{ kind, csv string }{
		{"companies", "企业代码,企业名称\nF1,霜城热力\n"},
		{"communities", "小区,区县,企业,热力站\n松林里,北区,F1,N1\n"},
		{"households", "户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\nN1,松林里,1,1,101,王小明,13800000001,90,居民\nN2,松林里,1,1,102,李小红,13800000002,100,居民\n"},
		{"fees", "户号,采暖期,应收,实收\nN1,2025-2026,2160.00,2160.00\nN2,2025-2026,2400.00,2400.00\n"},
	} {
		args := []string{"import", l.kind, o.file(filepath.Join(dir, l.kind+".csv"), l.csv), "--from", "2025-10-01", "--source", "test"}
		if l.kind == "companies" || l.kind == "communities" {
			args = append(args, "--version", "2025")
		}
		o.run(ctx, args...)
	}
}

// stopped has the authority determine that the estate's station stood still for 36 hours, and gives it a key.
func (o *ownTown) stopped(ctx context.Context) {
	o.t.Helper()
	a := o.open(ctx)
	defer a.Close()
	by, from := actor.SystemFor("test", actor.Command), civil.On(civil.NewDate(2026, 1, 20), 6, 0)
	area, err := a.Settle.ProposeArea(ctx, by, settle.AreaInput{
		City: ownCity, Season: paySeason, Kind: settle.AreaStop, Station: "N1", From: from, To: from.Add(36 * time.Hour),
		Evidence: []settle.Evidence{{Source: settle.CompanyLog, At: from, Note: "泵停"}, {Source: settle.FirstCall, At: from}},
	})
	if err == nil {
		_, err = a.Settle.Determine(ctx, by, settle.DetermineInput{City: ownCity, ID: area.ID, From: area.From, To: area.To, Version: area.Version})
	}
	if err == nil {
		err = a.Settle.SpreadArea(ctx, ownCity, area.ID)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	key, err := a.Staff.CreateKey(ctx, by, staff.NewKey{City: ownCity, Name: "head", Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: ownCity}}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.Key = key.Secret
}

func (o *ownTown) open(ctx context.Context) *app.App {
	o.t.Helper()
	cfg := config.Config{Data: o.data, Cities: []int{ownCity}, Packs: o.packs}.WithDefaults()
	a, err := app.New(ctx, cfg, app.Options{Clock: func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 9, 0) }, Fast: true})
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

// approve is the city's word for its own rule, which was known from a secondary source only.
func (o *ownTown) approve(ctx context.Context) {
	o.t.Helper()
	a := o.open(ctx)
	defer a.Close()
	var waiting []citypack.Chosen
	r, err := a.Rules.Rules(ctx, ownCity)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, v := range r.Pack.Provisionals() {
		if strings.HasPrefix(v.Path, "refund_rules.") {
			waiting = append(waiting, citypack.Chosen{Path: v.Path, Value: v.Text})
		}
	}
	head := actor.Actor{ID: "head", Name: "head", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: ownCity}}}
	if err := a.Rules.Approve(ctx, head, citypack.Approving{City: ownCity, Values: waiting, Note: "局长办公会 2026-3"}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *ownTown) settle(ctx context.Context) settled {
	o.t.Helper()
	var x settled
	if err := json.Unmarshal([]byte(o.run(ctx, "settle", "--season", paySeason, "--json")), &x); err != nil {
		o.t.Fatal(err)
	}
	return x
}

// TestACitysOwnPackPays: a city that wrote its rule itself hands its lists over and has a stop of 36 hours. Its refunds are one
// and a half days' fee, computed by hand: 90 m² at 24.00 over 120 days are 18.00 a day, so 27.00, and 100 m² so 30.00. As long as
// nobody stands by the rule no money follows; then it does.
func TestACitysOwnPackPays(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	o := newOwnTown(t)
	o.run(ctx, "user", "create", "root", "--name", "管理员")
	o.lists(ctx)
	o.stopped(ctx)

	x := o.settle(ctx)
	if got := x.Total.Amount.Yuan(); got != "57.00" || x.Claims != 2 {
		t.Fatalf("%d claims over %s", x.Claims, got)
	}
	give := func() error {
		o.start(ctx)
		defer func() { _ = o.cmd.Process.Kill(); _ = o.cmd.Wait() }()
		return o.api(ctx, http.MethodPost, "/settlements/"+x.ID+"/approve", "approve", map[string]any{"version": x.Version}, nil)
	}
	if err := give(); err == nil {
		t.Fatal("money follows from a rule that the city does not stand by")
	}
	o.approve(ctx)
	x = o.settle(ctx)
	if err := give(); err != nil {
		t.Fatal(err)
	}
	a := o.open(ctx)
	defer a.Close()
	if err := a.Settle.OrderPayouts(ctx, ownCity, x.ID); err != nil {
		t.Fatal(err)
	}
	console, err := a.Settle.Console(ctx, actor.SystemFor("test", actor.Command), ownCity, paySeason)
	if err != nil || console.Books.Approved.Yuan() != "57.00" || console.Books.Owed.Yuan() != "57.00" {
		t.Errorf("approved %s, owed %s (%v)", console.Books.Approved.Yuan(), console.Books.Owed.Yuan(), err)
	}
}
