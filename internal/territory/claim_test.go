package territory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/territory"
)

func head() actor.Actor {
	return actor.Actor{ID: "head", Name: "科长", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: cityCode}}}
}

func (k *desk) round() territory.Round {
	k.t.Helper()
	r, err := k.OpenRound(context.Background(), head(), territory.RoundInput{City: cityCode, Season: "2026-2027", Deadline: dbtest.Start.Add(24 * time.Hour)})
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

func (k *desk) claim(r territory.Round, code string, communities ...string) {
	k.t.Helper()
	if _, err := k.Claim(context.Background(), company(code), territory.ClaimInput{City: cityCode, Round: r.ID, Company: code, Communities: communities}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) line(r territory.Round, community string) territory.ClaimLine {
	k.t.Helper()
	var found territory.ClaimLine
	err := k.EachLine(context.Background(), k.root, cityCode, r.ID, territory.LineFilter{}, func(l territory.ClaimLine) error {
		if l.Community == community {
			found = l
		}
		return nil
	})
	if err != nil || found.Community == "" {
		k.t.Fatalf("line of %s: %+v, %v", community, found, err)
	}
	return found
}

func (k *desk) sign(r territory.Round, code, community string) error {
	_, err := k.SignHandover(context.Background(), company(code), territory.SignInput{
		City: cityCode, Round: r.ID, Community: community, Company: code, Version: k.line(r, community).Version,
	})
	return err
}

func TestClaimsFromOpeningToPublishing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		r := k.round()
		for _, code := range []string{"C1", "C2", "C3", "C4"} {
			if _, err := k.ClaimKept(ctx, company(code), cityCode, r.ID, code); err != nil {
				t.Fatal(err)
			}
		}
		k.claim(r, "C3", "sun") // two claim it
		if l := k.line(r, "sun"); l.State != territory.ClaimOverlap || l.Company != "" || l.Claims != 2 {
			t.Errorf("overlap: %+v", l)
		}
		if n, err := k.Unclaim(ctx, company("C1"), territory.ClaimInput{City: cityCode, Round: r.ID, Company: "C1", Communities: []string{"sun", "army"}}); err != nil || n != 2 {
			t.Errorf("taken back: %d, %v", n, err)
		}
		if l := k.line(r, "sun"); l.State != territory.ClaimHandover || l.Base != "C1" || l.Company != "C3" {
			t.Errorf("hand-over: %+v", l)
		}
		if l := k.line(r, "army"); l.State != territory.ClaimGap {
			t.Errorf("gap: %+v", l)
		}
		if err := k.sign(r, "C2", "sun"); !fault.Is(err, fault.Denied) {
			t.Errorf("a third company signs: %v", err)
		}
		for _, code := range []string{"C3", "C1"} {
			if err := k.sign(r, code, "sun"); err != nil {
				t.Errorf("%s signs: %v", code, err)
			}
		}
		if l := k.line(r, "sun"); l.State != territory.ClaimAgreed {
			t.Errorf("agreed: %+v", l)
		}
		in := territory.PublishInput{City: cityCode, Round: r.ID, Code: "2026", From: dbtest.Start.Date(), Source: "公告", Version: r.Version}
		if _, err := k.PublishRound(ctx, head(), in); !fault.Is(err, fault.Conflict) {
			t.Errorf("published with a gap: %v", err)
		}
		k.settleAll(r)
		if _, err := k.PublishRound(ctx, company("C1"), in); !fault.Is(err, fault.Denied) {
			t.Errorf("a company publishes: %v", err)
		}
		done, err := k.PublishRound(ctx, head(), in)
		if err != nil || done.State != territory.RoundPublished || done.Published != "2026" {
			t.Fatalf("published: %+v, %v", done, err)
		}
		a := k.ask(k.root, territory.Query{Text: "阳光花园3号楼不热"})
		if a.Company != "C3" || a.Changed == nil || a.Changed.From != "C1" || !a.Changed.Confirmed || !a.MayAutoDispatch() {
			t.Errorf("after it: %+v %+v", a, a.Changed)
		}
		if a := k.ask(k.root, territory.Query{Text: "建设路3号院"}); a.Company != "C2" || a.Changed == nil || !a.Changed.Confirmed {
			t.Errorf("what was decided: %+v %+v", a, a.Changed)
		}
		diff, err := k.Diff(ctx, k.root, cityCode, "V1", "2026")
		var moved []string
		for _, c := range diff.Communities {
			moved = append(moved, fmt.Sprint(c.Name, c.From, c.To, c.Confirmed))
		}
		if want := []string{"建设路3号院C1C2true", "阳光花园C1C3true"}; cmp.Diff(want, moved) != "" || err != nil {
			t.Errorf("diff: %v, %v", moved, err)
		}
	})
}

// settleAll decides what is open: the army's compound for C2, the rest for whoever had it.
func (k *desk) settleAll(r territory.Round) {
	k.t.Helper()
	var open []territory.ClaimLine
	err := k.EachLine(context.Background(), k.root, cityCode, r.ID, territory.LineFilter{}, func(l territory.ClaimLine) error {
		if l.State == territory.ClaimOverlap || l.State == territory.ClaimHandover || l.State == territory.ClaimGap && l.Base != "" {
			open = append(open, l)
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, l := range open {
		in := territory.DecideInput{City: cityCode, Round: r.ID, Community: l.Community, Company: l.Base, Note: "维持", Version: l.Version}
		if l.Community == "army" {
			in.Company = "C2"
		}
		got, err := k.DecideClaim(context.Background(), head(), in)
		if err != nil || got.State != territory.ClaimDecided || got.Note != "维持" {
			k.t.Errorf("decide %s: %+v, %v", l.Name, got, err)
		}
		if _, err := k.DecideClaim(context.Background(), head(), in); !fault.Is(err, fault.Conflict) {
			k.t.Errorf("decide what somebody decided: %v", err)
		}
	}
}

func TestClaimsAreTheCompanysOwnAndInTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		r := k.round()
		in := territory.ClaimInput{City: cityCode, Round: r.ID, Company: "C2", Communities: []string{"sun"}}
		if _, err := k.Claim(ctx, company("C1"), in); !fault.Is(err, fault.Denied) {
			t.Errorf("for another company: %v", err)
		}
		if _, err := k.OpenRound(ctx, head(), territory.RoundInput{City: cityCode, Season: "2026-2027", Deadline: r.Deadline}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a season twice: %v", err)
		}
		if _, err := k.OpenRound(ctx, company("C1"), territory.RoundInput{City: cityCode, Season: "x", Deadline: r.Deadline}); !fault.Is(err, fault.Denied) {
			t.Errorf("opened by a company: %v", err)
		}
		k.claim(r, "C2", "sun", "sun", "jade")
		k.claim(r, "C2", "jade")
		counts, err := k.CountLines(ctx, k.root, cityCode, r.ID)
		if err != nil || counts[territory.ClaimHandover] != 1 || counts[territory.ClaimKept] != 1 {
			t.Errorf("got %v, %v", counts, err)
		}
		d.SetClock(func() civil.Instant { return r.Deadline })
		if _, err := k.Claim(ctx, company("C2"), in); !fault.Is(err, fault.Conflict) {
			t.Errorf("after the deadline: %v", err)
		}
	})
}

func TestTheListOfLinesIsItsExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		r := k.round()
		k.claim(r, "C2", "sun", "jade")
		for _, f := range []territory.LineFilter{{}, {State: territory.ClaimGap}, {Company: "C2"}, {Query: "花园"}, {District: "南湖区"}} {
			var all, listed []string
			err := k.EachLine(ctx, k.root, cityCode, r.ID, f, func(l territory.ClaimLine) error { all = append(all, l.Community); return nil })
			if err != nil {
				t.Fatal(err)
			}
			f.Request = page.Request{Size: 4}
			for {
				p, err := k.Lines(ctx, k.root, cityCode, r.ID, f)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range p.Items {
					listed = append(listed, l.Community)
				}
				if f.After = p.Next; p.Next == "" {
					break
				}
			}
			if diff := cmp.Diff(all, listed); diff != "" || len(all) == 0 {
				t.Errorf("%+v: %s", f, diff)
			}
		}
	})
}

func TestClaimsAtTheSameMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		r := k.round()
		codes := []string{"C1", "C2", "C3", "C4"}
		var wait sync.WaitGroup
		for _, code := range codes {
			wait.Go(func() {
				for {
					_, err := k.Claim(ctx, company(code), territory.ClaimInput{City: cityCode, Round: r.ID, Company: code, Communities: []string{"sun", "jade", "peace"}})
					if err == nil {
						return
					}
					t.Logf("%s: %v", code, err)
				}
			})
		}
		wait.Wait()
		for _, community := range []string{"sun", "jade", "peace"} {
			if l := k.line(r, community); l.Claims != len(codes) || l.State != territory.ClaimOverlap {
				t.Errorf("%s: %+v", community, l)
			}
		}
	})
}
