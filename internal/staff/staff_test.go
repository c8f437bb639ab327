package staff_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

const (
	city  = 990100
	other = 140100
	good  = "Nuan-cheng!88"
)

// desk is a service on a database, with a machine clock that tests move.
type desk struct {
	*staff.Service
	d    *db.DB
	now  atomic.Int64
	root actor.Actor
}

func (k *desk) machine() time.Time         { return time.UnixMilli(k.now.Load()) }
func (k *desk) advance(by time.Duration)   { k.now.Add(by.Milliseconds()) }
func newDesk(t *testing.T, d *db.DB) *desk { return newDeskWith(t, d, nil) }
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newDeskWith(t *testing.T, d *db.DB, p staff.Provider) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{d: d, root: actor.SystemFor("test", actor.Command)}
	k.now.Store(time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC).UnixMilli())
	k.Service, err = staff.New(staff.Options{DB: d, Ring: ring, Machine: k.machine, Provider: p,
		Password: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []staff.OrgInput{{City: city, Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务中心"},
		{City: city, Code: "C1", Kind: staff.Company, NameZH: "一热"}, {City: city, Code: "C2", Kind: staff.Company, NameZH: "二热"}} {
		must[staff.Organisation](t)(k.SaveOrganisation(context.Background(), k.root, o))
	}
	return k
}

// person makes a member of staff who has changed nothing yet; made by the system, so that the password stands.
func (k *desk) person(t *testing.T, login, org string, grants ...actor.Grant) staff.Person {
	t.Helper()
	return must[staff.Person](t)(k.CreatePerson(context.Background(), k.root, staff.NewPerson{City: city, Login: login, Name: "姓名" + login, Org: org, Password: good, Grants: grants}))
}

func (k *desk) login(t *testing.T, login string) string {
	t.Helper()
	return must[staff.Ticket](t)(k.Login(context.Background(), staff.Credentials{Login: login, Password: good, Address: "10.0.0.1", Agent: "test"})).Token
}

// as is the actor behind a fresh login.
func (k *desk) as(t *testing.T, login string) actor.Actor {
	t.Helper()
	who, ok, err := k.Authenticate(context.Background(), k.login(t, login))
	if err != nil || !ok {
		t.Fatalf("login of %s: %v, %v", login, ok, err)
	}
	return who.Actor
}

func admin(c int) actor.Grant { return actor.Grant{Role: actor.RoleAdmin, City: c} }

func TestLoginGivesTheGrants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		p := k.person(t, "li.seat", "centre", actor.Grant{Role: actor.RoleSeat, City: city, Districts: []string{"D1", "D2"}})
		got := k.as(t, " LI.Seat ")
		want := actor.Actor{ID: p.ID, Name: "姓名li.seat", Kind: actor.Person, Org: "centre", Door: actor.Page,
			Grants: []actor.Grant{{Role: actor.RoleSeat, City: city, Districts: []string{"D1", "D2"}}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, c := range []staff.Credentials{{Login: "li.seat", Password: good + "x"}, {Login: "nobody", Password: good}, {}, {Login: "li.seat"}} {
			if _, err := k.Login(context.Background(), c); fault.Of(err).Key != "staff.bad_login" {
				t.Errorf("%+v: %v; want staff.bad_login", c, err)
			}
		}
		if _, ok, err := k.Authenticate(context.Background(), "forged"); ok || err != nil {
			t.Errorf("forged token: %v, %v", ok, err)
		}
		h, err := db.Read(context.Background(), d, func(tx *db.Tx) ([]audit.Entry, error) {
			return audit.History(context.Background(), tx, city, "person:"+p.ID, 0)
		})
		if err != nil || audit.Check(h) != nil || len(h) != 2 || h[1].Act != "staff.login" {
			t.Errorf("audit: %d entries, %v; want create and login in one chain", len(h), err)
		}
	})
}

func TestBruteForceIsLockedOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		k.person(t, "wang", "centre")
		k.login(t, "wang") // from 10.0.0.1, so that this address is known
		var wrong, locked atomic.Int64
		var wg sync.WaitGroup
		for range 20 { // all at once
			wg.Go(func() {
				_, err := k.Login(ctx, staff.Credentials{Login: "wang", Password: "guess", Address: "203.0.113.9"})
				switch {
				case fault.Of(err).Key == "staff.bad_login":
					wrong.Add(1)
				case fault.Is(err, fault.Exhausted):
					locked.Add(1)
				default:
					t.Errorf("guess: %v", err)
				}
			})
		}
		wg.Wait()
		if wrong.Load() != 5 || locked.Load() != 15 {
			t.Errorf("%d guesses were checked, %d refused; want 5 and 15", wrong.Load(), locked.Load())
		}
		stranger := staff.Credentials{Login: "wang", Password: good, Address: "203.0.113.10"}
		if _, err := k.Login(ctx, stranger); !fault.Is(err, fault.Exhausted) {
			t.Errorf("right password on a locked account: %v; want Exhausted", err)
		}
		k.login(t, "wang") // the owner's own address is not locked by a stranger's guesses
		k.advance(15*time.Minute + time.Second)
		if _, err := k.Login(ctx, stranger); err != nil {
			t.Errorf("after the lock: %v", err)
		}
	})
}

func TestAddressIsLockedOut(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	ctx := context.Background()
	k.person(t, "wang", "centre")
	for i := range 30 {
		_, err := k.Login(ctx, staff.Credentials{Login: "user" + string(rune('a'+i%26)) + string(rune('a'+i/26)), Password: "guess", Address: "203.0.113.9"})
		if fault.Of(err).Key != "staff.bad_login" {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if _, err := k.Login(ctx, staff.Credentials{Login: "wang", Password: good, Address: "203.0.113.9"}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("31st from one address: %v; want Exhausted", err)
	}
	k.login(t, "wang")
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		p := k.person(t, "wang", "centre", actor.Grant{Role: actor.RoleSeat, City: city})
		holds := func(token string) bool {
			t.Helper()
			_, ok, err := k.Authenticate(ctx, token)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		a, b, c := k.login(t, "wang"), k.login(t, "wang"), k.login(t, "wang")
		if !holds(a) || !holds(b) || !holds(c) {
			t.Fatal("fresh sessions do not hold")
		}
		me := k.as(t, "wang")
		all := must[[]staff.Session](t)(k.Sessions(ctx, me, p.ID))
		if len(all) != 4 || all[0].Address != "10.0.0.1" {
			t.Errorf("sessions: %+v; want 4", all)
		}
		who, _, _ := k.Authenticate(ctx, a)
		if err := k.EndSession(ctx, me, p.ID, who.Session); err != nil || holds(a) || !holds(b) {
			t.Errorf("end one: %v, a %v, b %v; want it gone at once, the other kept", err, holds(a), holds(b))
		}
		if err := k.Logout(ctx, b); err != nil || holds(b) {
			t.Errorf("logout: %v", err)
		}
		who, _, _ = k.Authenticate(ctx, c)
		if err := k.EndSessions(ctx, me, p.ID, who.Session); err != nil || !holds(c) {
			t.Errorf("end all others: %v", err)
		}
		if n := len(must[[]staff.Session](t)(k.Sessions(ctx, me, p.ID))); n != 1 {
			t.Errorf("%d sessions left; want 1", n)
		}
		for range 4 { // used every 20 minutes: stays
			k.advance(20 * time.Minute)
			if !holds(c) {
				t.Fatal("a session in use ended")
			}
		}
		k.advance(31 * time.Minute)
		if holds(c) {
			t.Error("an idle session holds after 31 minutes")
		}
		e := k.login(t, "wang")
		for range 35 {
			k.advance(20 * time.Minute)
			holds(e)
		}
		if !holds(e) {
			t.Error("a session in use ended before its 12 hours")
		}
		k.advance(21 * time.Minute)
		if holds(e) {
			t.Error("a session in use holds after 12 hours")
		}
	})
}

func TestAnotherProcessObeysWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	ctx := context.Background()
	one := newDesk(t, d)
	two := &desk{d: d}
	two.now.Store(one.now.Load())
	ring, _ := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	svc, err := staff.New(staff.Options{DB: d, Ring: ring, Machine: two.machine})
	if err != nil {
		t.Fatal(err)
	}
	one.person(t, "wang", "centre")
	token := one.login(t, "wang")
	if _, ok, _ := svc.Authenticate(ctx, token); !ok {
		t.Fatal("not known to the other process")
	}
	if err := one.Logout(ctx, token); err != nil {
		t.Fatal(err)
	}
	two.advance(5 * time.Second)
	if _, ok, _ := svc.Authenticate(ctx, token); ok {
		t.Error("the other process still accepts an ended session after five seconds")
	}
}

func TestChangesAreObeyedAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		k.person(t, "boss", "centre", admin(city))
		p := k.person(t, "wang", "centre", actor.Grant{Role: actor.RoleSeat, City: city})
		boss, token := k.as(t, "boss"), k.login(t, "wang")
		may := func(perm actor.Permission) bool {
			who, _, err := k.Authenticate(ctx, token)
			return err == nil && who.Actor.May(perm, actor.On{City: city}) == nil
		}
		if !may(actor.CaseAccept) || may(actor.CaseDispatch) {
			t.Fatal("a seat accepts and does not dispatch")
		}
		p = must[staff.Person](t)(k.Grant(ctx, boss, staff.NewGrant{Person: p.ID, City: city, Role: actor.RoleDispatcher}))
		if !may(actor.CaseDispatch) {
			t.Error("a new grant is not obeyed at once")
		}
		p = must[staff.Person](t)(k.Revoke(ctx, boss, p.ID, p.Grants[0].ID))
		p = must[staff.Person](t)(k.Revoke(ctx, boss, p.ID, p.Grants[0].ID))
		if may(actor.CaseAccept) || may(actor.CaseDispatch) || len(p.Grants) != 0 {
			t.Error("revoked rights are still there")
		}
		must[staff.Person](t)(k.Disable(ctx, boss, p.ID))
		if _, ok, _ := k.Authenticate(ctx, token); ok {
			t.Error("a disabled person's session holds")
		}
		if _, err := k.Login(ctx, staff.Credentials{Login: "wang", Password: good}); fault.Of(err).Key != "staff.bad_login" {
			t.Errorf("disabled login: %v; want staff.bad_login", err)
		}
		must[staff.Person](t)(k.Enable(ctx, boss, p.ID))
		k.login(t, "wang")
	})
}

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

func TestPasswordChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		k.person(t, "boss", "centre", admin(city))
		boss := k.as(t, "boss")
		p := must[staff.Person](t)(k.CreatePerson(ctx, boss, staff.NewPerson{City: city, Login: "new", Name: "新", Password: good, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}))
		token, old := k.login(t, "new"), k.login(t, "new")
		who, _, err := k.Authenticate(ctx, token)
		if err != nil || !who.MustChange || len(who.Actor.Grants) != 0 {
			t.Fatalf("%+v, %v; want no rights before the given password is changed", who, err)
		}
		in := staff.PasswordChange{Person: p.ID, Current: "wrong", New: "Xin-nuan-2026", Session: who.Session}
		if err := k.SetPassword(ctx, who.Actor, in); len(fault.Of(err).Fields) != 1 || fault.Of(err).Fields[0].Name != "current" {
			t.Errorf("wrong present password: %v", err)
		}
		in.Current = good
		if err := k.SetPassword(ctx, who.Actor, in); err != nil {
			t.Fatal(err)
		}
		who, ok, _ := k.Authenticate(ctx, token)
		if !ok || who.MustChange || len(who.Actor.Grants) != 1 {
			t.Errorf("after the change: %+v, %v; want the session with its grant", who, ok)
		}
		if _, ok, _ := k.Authenticate(ctx, old); ok {
			t.Error("another session survived the change of the password")
		}
		if _, err := k.Login(ctx, staff.Credentials{Login: "new", Password: good}); err == nil {
			t.Error("the old password still works")
		}
	})
}

func TestWeakPasswords(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	for _, pw := range []string{"short", "password123", "1234567890", "aaaaaaaaaaaa", "zhang.san2026", "onlyletters", "abababababab", strings.Repeat("长x", 80), "a\xff" + good} {
		_, err := k.CreatePerson(context.Background(), k.root, staff.NewPerson{City: city, Login: "zhang.san", Name: "张三", Password: pw})
		if f := fault.Of(err); f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != "password" {
			t.Errorf("%q: %v; want a message about the password", pw, err)
		}
	}
	for i, pw := range []string{good, "correct horse battery", "供热服务中心的好密码一二三四五六"} {
		if _, err := k.CreatePerson(context.Background(), k.root, staff.NewPerson{City: city, Login: "p" + string(rune('0'+i)), Name: "张三", Password: pw}); err != nil {
			t.Errorf("%q: %v", pw, err)
		}
	}
}

func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		p := k.person(t, "wang", "centre")
		me := k.as(t, "wang")
		set := must[staff.TOTPSetup](t)(k.EnableTOTP(ctx, me))
		code := func() string { return must[string](t)(totp.GenerateCode(set.Secret, k.machine())) }
		if _, err := k.ConfirmTOTP(ctx, me, "000000"); err == nil && code() != "000000" {
			t.Error("a wrong code switched codes on")
		}
		if tk := must[staff.Ticket](t)(k.Login(ctx, staff.Credentials{Login: "wang", Password: good})); tk.NeedsCode {
			t.Error("codes are asked for before they are confirmed")
		}
		recovery := must[[]string](t)(k.ConfirmTOTP(ctx, me, code()))
		tk := must[staff.Ticket](t)(k.Login(ctx, staff.Credentials{Login: "wang", Password: good}))
		if _, ok, _ := k.Authenticate(ctx, tk.Token); ok || !tk.NeedsCode {
			t.Error("the password alone opens a session")
		}
		if _, err := k.Confirm(ctx, tk.Token, code(), "", ""); len(fault.Of(err).Fields) != 1 {
			t.Errorf("a code used before: %v; want refused", err)
		}
		k.advance(30 * time.Second)
		full := must[staff.Ticket](t)(k.Confirm(ctx, tk.Token, code(), "", ""))
		if _, ok, _ := k.Authenticate(ctx, full.Token); !ok {
			t.Error("password and code do not open a session")
		}
		if _, err := k.Confirm(ctx, tk.Token, code(), "", ""); fault.Of(err).Key != "staff.code_too_late" {
			t.Errorf("a finished login again: %v", err)
		}
		login := func() staff.Ticket {
			return must[staff.Ticket](t)(k.Login(ctx, staff.Credentials{Login: "wang", Password: good}))
		}
		if _, err := k.Confirm(ctx, login().Token, strings.ToLower(recovery[3]), "", ""); err != nil {
			t.Errorf("recovery code: %v", err)
		}
		if _, err := k.Confirm(ctx, login().Token, recovery[3], "", ""); err == nil {
			t.Error("a recovery code worked twice")
		}
		if err := k.DisableTOTP(ctx, me, p.ID, recovery[4], ""); err != nil {
			t.Fatal(err)
		}
		if login().NeedsCode {
			t.Error("codes are asked for after they were switched off")
		}
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		k := newDesk(t, d)
		grant := actor.Grant{Role: actor.RolePartner, City: city}
		in := staff.NewKey{City: city, Name: "12345", Org: "centre", Grants: []actor.Grant{grant}, Expires: civil.At(k.machine()).Add(time.Hour)}
		key := must[staff.IssuedKey](t)(k.CreateKey(ctx, k.root, in))
		who, ok, err := k.AuthenticateKey(ctx, key.Secret)
		want := actor.Actor{ID: "key:" + key.ID, Name: "12345", Kind: actor.Key, Org: "centre", Door: actor.API, Grants: []actor.Grant{grant}}
		if diff := cmp.Diff(want, who.Actor); !ok || err != nil || diff != "" {
			t.Fatalf("%v, %v, %s", ok, err, diff)
		}
		last := key.Secret[len(key.Secret)-1]
		forged := key.Secret[:len(key.Secret)-1] + string(map[bool]byte{true: '1', false: '0'}[last == '0'])
		for _, bad := range []string{"", forged, "rhk_" + key.ID, "rhk_" + key.ID + "_", "rhk_000000000000_" + strings.Repeat("0", 64), strings.TrimPrefix(key.Secret, "rhk_")} {
			if _, ok, err := k.AuthenticateKey(ctx, bad); ok || err != nil {
				t.Errorf("%q: %v, %v; want refused", bad, ok, err)
			}
		}
		list := must[page.Of[staff.Key]](t)(k.Keys(ctx, k.root, city, page.Request{}))
		if len(list.Items) != 1 || strings.Contains(key.Secret, list.Items[0].Hash) {
			t.Errorf("keys: %+v; want one, hashed", list.Items)
		}
		if err := k.RevokeKey(ctx, k.root, key.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := k.AuthenticateKey(ctx, key.Secret); ok {
			t.Error("a revoked key works")
		}
		short := must[staff.IssuedKey](t)(k.CreateKey(ctx, k.root, in))
		if _, ok, _ := k.AuthenticateKey(ctx, short.Secret); !ok {
			t.Error("a second key does not work")
		}
		k.advance(time.Hour)
		if _, ok, _ := k.AuthenticateKey(ctx, short.Secret); ok {
			t.Error("a key works after its expiry")
		}
	})
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
