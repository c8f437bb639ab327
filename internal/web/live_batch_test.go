package web_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/web"
)

// TestReadersWithOneKeySeeOneThing: over every role, unit and scope, whoever would be given another's live answer would have
// got the same from the database; and answers are shared at all.
func TestReadersWithOneKeySeeOneThing(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	own, seated := k.person("own", actor.RoleCompany), k.person("seated", actor.RoleSeat)
	k.personOf("rival", actor.RoleCompany, "C2")
	k.open("向阳花园")
	k.open("明月里")
	for _, a := range []cases.About{{Org: "C1"}, {Org: "C1", Person: "own"}, {Org: "C2"}, {Org: "centre", Person: "seated"}} {
		k.open("向阳花园", func(in *cases.Opening) {
			in.About, in.Category, in.Nature, in.TestRequest = a, "", "", ""
			in.Text = "来人态度恶劣"
		})
	}
	for _, f := range []cases.Filter{{}, {Flag: "staff"}, {Flag: "care"}, {State: "open", Sort: "due"}} {
		seen, shared := map[string]liveSeen{}, 0
		for _, who := range readers(own.ID, seated.ID) {
			got := k.sees(who, f)
			key := web.LiveKey(who, city, f)
			first, known := seen[key]
			if !known {
				seen[key] = got
				continue
			}
			shared++
			if diff := cmp.Diff(first, got); diff != "" {
				t.Errorf("%+v shares an answer under %q that is not theirs:\n%s", who, key, diff)
			}
		}
		if shared == 0 && f.Flag != "staff" || len(seen) < 5 {
			t.Errorf("%+v: %d readers share, %d keys", f, shared, len(seen))
		}
	}
}

// liveSeen is what a reader gets from the database.
type liveSeen struct {
	IDs   []string
	Loads []cases.Load
}

func (k *desk) sees(who actor.Actor, f cases.Filter) liveSeen {
	k.t.Helper()
	list, err := k.cases.List(bg, who, city, f)
	if err != nil {
		k.t.Fatal(err)
	}
	var out liveSeen
	for _, c := range list.Items {
		out.IDs = append(out.IDs, c.ID)
	}
	if out.Loads, err = k.cases.Loads(bg, who, city); err != nil {
		k.t.Fatal(err)
	}
	return out
}

// readers are members of staff under these ids, of each role at each unit with each kind of scope.
func readers(ids ...string) []actor.Actor {
	scopes := []actor.Grant{
		{},
		{Districts: []string{"990101"}},
		{Districts: []string{"990102"}},
		{Companies: []string{"C1"}},
		{Companies: []string{"C2"}},
		{Areas: []string{"a"}},
		{Stations: []string{"s"}},
		{Districts: []string{"990101"}, Companies: []string{"C1"}},
	}
	var out []actor.Actor
	for _, role := range actor.Roles() {
		for _, org := range []string{"centre", "C1", "C2"} {
			for _, id := range ids {
				for _, g := range scopes {
					g.Role, g.City = role, city
					out = append(out, actor.Actor{ID: id, Name: "某人", Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{g}})
				}
			}
		}
	}
	return out
}

// TestLiveKeyHoldsTheWholeFilter: whoever asks for something else, be it by one field, has another key.
func TestLiveKeyHoldsTheWholeFilter(t *testing.T) {
	t.Parallel()
	who := posted(actor.RoleDispatcher, "d", "centre")
	var f cases.Filter
	keys := map[string]string{web.LiveKey(who, city, f): "nothing"}
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for field, inner := range v.Fields() {
				walk(name+"."+field.Name, inner)
			}
			return
		case reflect.Array:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", name, i), v.Index(i))
			}
			return
		case reflect.String:
			v.SetString("x")
		case reflect.Int, reflect.Int64:
			v.SetInt(7)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			v.Index(0).SetString("x")
		default:
			t.Fatalf("%s is a %s: see that the key holds what it says, and teach this test", name, v.Type())
		}
		key := web.LiveKey(who, city, f)
		if other, known := keys[key]; known {
			t.Errorf("%s has the key of %s", name, other)
		}
		keys[key] = name
		v.SetZero()
	}
	walk("Filter", reflect.ValueOf(&f).Elem())
	if len(keys) < reflect.TypeFor[cases.Filter]().NumField() {
		t.Errorf("%d keys only", len(keys))
	}
}
