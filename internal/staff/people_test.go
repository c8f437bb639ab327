package staff_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	ctx := context.Background()
	k.person(t, "boss", "centre", admin(city))
	k.person(t, "c1boss", "C1", actor.Grant{Role: actor.RoleAdmin, City: city, Companies: []string{"C1"}})
	seat := k.person(t, "wang", "centre", actor.Grant{Role: actor.RoleSeat, City: city})
	province := k.person(t, "province", "centre", admin(0))
	worker := k.person(t, "worker", "C1")
	boss, c1, plain := k.as(t, "boss"), k.as(t, "c1boss"), k.as(t, "wang")
	for name, c := range map[string]struct {
		by   actor.Actor
		in   staff.NewGrant
		kind fault.Kind
	}{
		"own city":                     {boss, staff.NewGrant{Person: seat.ID, City: city, Role: actor.RoleLeader}, -1},
		"another city":                 {boss, staff.NewGrant{Person: seat.ID, City: other, Role: actor.RoleSeat}, fault.Denied},
		"every city":                   {boss, staff.NewGrant{Person: seat.ID, Role: actor.RoleSeat}, fault.Denied},
		"a person with wider rights":   {boss, staff.NewGrant{Person: province.ID, City: city, Role: actor.RoleSeat}, fault.Denied},
		"oneself":                      {boss, staff.NewGrant{Person: boss.ID, City: city, Role: actor.RoleSectionHead}, fault.Denied},
		"no manager":                   {plain, staff.NewGrant{Person: worker.ID, City: city, Role: actor.RoleSeat}, fault.NotFound},
		"company's worker":             {c1, staff.NewGrant{Person: worker.ID, City: city, Role: actor.RoleWorker}, -1},
		"company's worker, other firm": {c1, staff.NewGrant{Person: worker.ID, City: city, Role: actor.RoleWorker, Companies: []string{"C2"}}, fault.Denied},
		"company's verifier":           {c1, staff.NewGrant{Person: worker.ID, City: city, Role: actor.RoleVerifier, Companies: []string{"C1"}}, fault.Denied},
		"somebody of the centre":       {c1, staff.NewGrant{Person: seat.ID, City: city, Role: actor.RoleWorker, Companies: []string{"C1"}}, fault.NotFound},
		"the system's role":            {k.root, staff.NewGrant{Person: seat.ID, City: city, Role: actor.RoleSystem}, fault.Invalid},
		"company role without company": {k.root, staff.NewGrant{Person: seat.ID, City: city, Role: "boss"}, fault.Invalid},
	} {
		_, err := k.Grant(ctx, c.by, c.in)
		if c.kind < 0 && err != nil || c.kind >= 0 && !fault.Is(err, c.kind) {
			t.Errorf("%s: %v; want kind %v", name, err, c.kind)
		}
	}
	if _, err := k.CreatePerson(ctx, boss, staff.NewPerson{City: city, Login: "x1", Name: "x", Grants: []actor.Grant{admin(0)}}); !fault.Is(err, fault.Denied) {
		t.Errorf("creating somebody above oneself: %v; want Denied", err)
	}
	if err := k.SetPassword(ctx, boss, staff.PasswordChange{Person: province.ID, New: "another-Pass9"}); !fault.Is(err, fault.Denied) {
		t.Errorf("resetting the password of somebody above: %v; want Denied", err)
	}
	if _, err := k.CreateKey(ctx, c1, staff.NewKey{City: city, Name: "k", Org: "C1", Grants: []actor.Grant{{Role: actor.RolePartner, City: city}}}); !fault.Is(err, fault.Denied) {
		t.Errorf("a company's key for the whole city: %v; want Denied", err)
	}
	if got := must[page.Of[staff.Person]](t)(k.People(ctx, c1, city, staff.Filter{})); len(got.Items) != 2 {
		t.Errorf("a company's manager sees %d people; want the company's two", len(got.Items))
	}
	if _, err := k.People(ctx, plain, city, staff.Filter{}); !fault.Is(err, fault.Denied) {
		t.Errorf("a seat lists people: %v; want Denied", err)
	}
}

func TestPeopleList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		for _, l := range []string{"a1", "a2", "b_1", "b21"} {
			k.person(t, l, "centre", actor.Grant{Role: actor.RoleSeat, City: city})
		}
		k.person(t, "c1", "C1", actor.Grant{Role: actor.RoleCompany, City: city})
		logins := func(f staff.Filter) (out []string) {
			t.Helper()
			for {
				got := must[page.Of[staff.Person]](t)(k.People(ctx, k.root, city, f))
				for _, p := range got.Items {
					out = append(out, p.Login)
				}
				if f.After = got.Next; got.Next == "" {
					return out
				}
			}
		}
		for _, c := range []struct {
			f    staff.Filter
			want []string
		}{
			{staff.Filter{Request: page.Request{Size: 2}}, []string{"a1", "a2", "b21", "b_1", "c1"}},
			{staff.Filter{Query: "B_"}, []string{"b_1"}},
			{staff.Filter{Query: "姓名a"}, []string{"a1", "a2"}},
			{staff.Filter{Org: "C1"}, []string{"c1"}},
			{staff.Filter{Role: actor.RoleCompany}, []string{"c1"}},
			{staff.Filter{Active: "no"}, nil},
		} {
			got := logins(c.f)
			if c.f.Size == 2 { // databases sort _ differently
				if len(got) != len(c.want) {
					t.Errorf("paged: %v; want all of %v", got, c.want)
				}
				continue
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%+v: %s", c.f, diff)
			}
		}
		got := must[page.Of[staff.Person]](t)(k.People(ctx, k.root, other, staff.Filter{}))
		if len(got.Items) != 0 {
			t.Errorf("another city lists %d people", len(got.Items))
		}
	})
}

func TestEditIsGuarded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		p := k.person(t, "wang", "centre")
		in := staff.Edit{Person: p.ID, Name: "王明", Org: "C1", Email: "Wang@Example.cn", Version: p.Version}
		got := must[staff.Person](t)(k.EditPerson(ctx, k.root, in))
		if got.Name != "王明" || got.Org != "C1" || got.Email == nil || *got.Email != "wang@example.cn" || got.Version != p.Version+1 {
			t.Errorf("%+v", got)
		}
		if _, err := k.EditPerson(ctx, k.root, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("the old version: %v; want Conflict", err)
		}
		q := k.person(t, "li", "centre")
		if _, err := k.EditPerson(ctx, k.root, staff.Edit{Person: q.ID, Name: "李", Email: "wang@example.cn", Version: 1}); len(fault.Of(err).Fields) != 1 {
			t.Errorf("an e-mail twice: %v", err)
		}
		if _, err := k.CreatePerson(ctx, k.root, staff.NewPerson{City: city, Login: "WANG", Name: "x"}); fault.Of(err).Kind != fault.Invalid {
			t.Errorf("a login twice: %v", err)
		}
	})
}

func TestEnsureAdmin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		in := staff.Admin{City: 0, Login: "operator", Password: good}
		first := must[staff.Person](t)(k.EnsureAdmin(ctx, in))
		if first.City != 0 || first.MustChange || len(first.Grants) != 1 || first.Grants[0].Role != actor.RoleAdmin {
			t.Errorf("%+v; want an administrator of the installation", first)
		}
		old := k.login(t, "operator")
		must[staff.Person](t)(k.Disable(ctx, k.root, first.ID))
		in.Password, in.Grants = "Another-pass-7", []actor.Grant{admin(0), {Role: actor.RoleSeat, City: city}}
		again := must[staff.Person](t)(k.EnsureAdmin(ctx, in))
		if again.ID != first.ID || !again.Active || len(again.Grants) != 2 {
			t.Errorf("%+v; want the same person, let in again, with the missing grant", again)
		}
		if _, ok, _ := k.Authenticate(ctx, old); ok {
			t.Error("an old session survived")
		}
		must[staff.Ticket](t)(k.Login(ctx, staff.Credentials{Login: "operator", Password: in.Password}))
	})
}

func TestOrganisations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		in := staff.OrgInput{City: city, Code: "D1", Kind: staff.District, NameZH: "东区住建局"}
		o := must[staff.Organisation](t)(k.SaveOrganisation(ctx, k.root, in))
		if !o.Active || o.NameEN != "东区住建局" || o.Version != 1 {
			t.Errorf("%+v", o)
		}
		if _, err := k.SaveOrganisation(ctx, k.root, in); fault.Of(err).Kind != fault.Invalid {
			t.Errorf("a code twice: %v", err)
		}
		in.Version, in.NameEN = 1, "East district"
		o = must[staff.Organisation](t)(k.SaveOrganisation(ctx, k.root, in))
		if o.Active || o.NameEN != "East district" || o.Version != 2 {
			t.Errorf("%+v", o)
		}
		if _, err := k.SaveOrganisation(ctx, k.root, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version: %v", err)
		}
		if got := must[[]staff.Organisation](t)(k.Organisations(ctx, k.root, city, staff.Company)); len(got) != 2 {
			t.Errorf("%d companies; want 2", len(got))
		}
	})
}

func TestEveryRoleAndPermissionHasALabel(t *testing.T) {
	t.Parallel()
	keys := []string{"role.partner", "role.resident", "role.system"}
	for _, r := range actor.Roles() {
		keys = append(keys, "role."+string(r))
		for _, p := range r.Permissions() {
			keys = append(keys, "permission."+string(p))
		}
	}
	for _, kind := range staff.OrgKinds() {
		keys = append(keys, "org_kind."+string(kind))
	}
	for _, k := range keys {
		if !text.Has(k) || text.T(text.ZH, k) == text.T(text.EN, k) {
			t.Errorf("%s has no label in both languages", k)
		}
	}
}
