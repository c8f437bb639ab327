package territory_test

import (
	"context"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/territory"
)

func dispatcher() actor.Actor {
	return actor.Actor{ID: "d1", Name: "王派遣", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleDispatcher, City: cityCode}}}
}

func (k *desk) learn(by actor.Actor, r territory.Rule) (territory.KnownRule, error) {
	ctx := context.Background()
	return db.Write(ctx, k.d, func(tx *db.Tx) (territory.KnownRule, error) { return k.Learn(ctx, tx, by, cityCode, r) })
}

// until waits for an index that is renewed beside.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never comes to hold")
		}
	}
}

func TestAChoiceIsLearntAndWithdrawn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		q := territory.Query{Text: "老火车站北楼不热"}
		if a := k.ask(k.root, q); a.Decision == territory.Assigned {
			t.Fatalf("before: %+v", a)
		}
		rule := territory.Rule{Text: "老火车站北楼", Company: "C5"}
		known, err := k.learn(dispatcher(), rule)
		if err != nil || known.AuthorName != "王派遣" {
			t.Fatalf("learn: %+v, %v", known, err)
		}
		until(t, func() bool { a := k.ask(k.root, q); return a.Decision == territory.Assigned && a.Company == "C5" })
		if again, err := k.learn(dispatcher(), rule); err != nil || again.ID != known.ID {
			t.Errorf("the same choice again: %+v, %v", again, err)
		}
		list, err := k.Rules(ctx, k.root, cityCode, territory.RuleFilter{Query: "火车"})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("list: %+v, %v", list, err)
		}
		if _, err := k.WithdrawRule(ctx, dispatcher(), cityCode, known.ID, known.Version+1); !fault.Is(err, fault.Conflict) {
			t.Errorf("another version: %v", err)
		}
		if _, err := k.WithdrawRule(ctx, dispatcher(), cityCode, known.ID, known.Version); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return k.ask(k.root, q).Decision != territory.Assigned })
	})
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.register()
	for name, c := range map[string]struct {
		by   actor.Actor
		rule territory.Rule
		want fault.Kind
	}{
		"short text":      {dispatcher(), territory.Rule{Text: "北楼", Company: "C1"}, fault.Invalid},
		"no condition":    {dispatcher(), territory.Rule{Company: "C1"}, fault.Invalid},
		"no company":      {dispatcher(), territory.Rule{Text: "老火车站", Company: ""}, fault.Invalid},
		"unknown company": {dispatcher(), territory.Rule{Text: "老火车站", Company: "C9"}, fault.Invalid},
		"unknown place":   {dispatcher(), territory.Rule{Community: "nowhere", Company: "C1"}, fault.Invalid},
		"number alone":    {dispatcher(), territory.Rule{Text: "老火车站", Number: "3", Company: "C1"}, fault.Invalid},
		"a company":       {company("C1"), territory.Rule{Text: "老火车站", Company: "C1"}, fault.Denied},
	} {
		if _, err := k.learn(c.by, c.rule); !fault.Is(err, c.want) {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
	}
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		k.register()
		find := func(kind territory.DoubtKind, name string) (found []territory.DoubtPlace, neighbours []string) {
			list, err := k.Doubts(ctx, k.root, cityCode, kind)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range list {
				if one.Kind != kind {
					t.Errorf("asked for %s, got %+v", kind, one)
				}
				if one.Name == name {
					found, neighbours = one.Communities, one.Neighbours
				}
			}
			return found, neighbours
		}
		if got, _ := find(territory.DoubtSharedName, "幸福里"); len(got) != 2 || got[0].Company == got[1].Company {
			t.Errorf("the same name: %+v", got)
		}
		if got, near := find(territory.DoubtBorder, "界河嘉园"); len(got) != 1 || len(near) != 1 || near[0] != "C2" {
			t.Errorf("at the border: %+v %v", got, near)
		}
		if got, _ := find(territory.DoubtMarked, "书香门第"); got != nil {
			t.Errorf("not marked yet: %+v", got)
		}
		if err := k.MarkConfusable(ctx, company("C1"), cityCode, territory.Pair{A: "twinA", B: "twinB"}, ""); !fault.Is(err, fault.Denied) {
			t.Errorf("marked by a company: %v", err)
		}
		if err := k.MarkConfusable(ctx, dispatcher(), cityCode, territory.Pair{A: "twinB", B: "twinA"}, "读音相近"); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { got, _ := find(territory.DoubtMarked, "书香门第"); return len(got) == 2 })
		if err := k.UnmarkConfusable(ctx, dispatcher(), cityCode, territory.Pair{A: "twinA", B: "twinB"}); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { got, _ := find(territory.DoubtMarked, "书香门第"); return got == nil })
	})
}
