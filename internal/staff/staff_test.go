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

// newDeskAgain is another process on a database that has its organisations.
func newDeskAgain(t *testing.T, d *db.DB, p staff.Provider) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{d: d, root: actor.SystemFor("test", actor.Command)}
	k.now.Store(time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC).UnixMilli())
	k.Service, err = staff.New(staff.Options{
		DB: d, Ring: ring, Machine: k.machine, Provider: p,
		Password: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newDeskWith(t *testing.T, d *db.DB, p staff.Provider) *desk {
	t.Helper()
	k := newDeskAgain(t, d, p)
	for _, o := range []staff.OrgInput{
		{City: city, Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务中心"},
		{City: city, Code: "C1", Kind: staff.Company, NameZH: "一热"},
		{City: city, Code: "C2", Kind: staff.Company, NameZH: "二热"},
	} {
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
		want := actor.Actor{
			ID: p.ID, Name: "姓名li.seat", Kind: actor.Person, Org: "centre", Door: actor.Page,
			Grants: []actor.Grant{{Role: actor.RoleSeat, City: city, Districts: []string{"D1", "D2"}}},
		}
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
	one, two := newDesk(t, d), newDeskAgain(t, d, nil)
	one.person(t, "wang", "centre")
	token := one.login(t, "wang")
	if _, ok, _ := two.Authenticate(ctx, token); !ok {
		t.Fatal("not known to the other process")
	}
	if err := one.Logout(ctx, token); err != nil {
		t.Fatal(err)
	}
	two.advance(5 * time.Second)
	if _, ok, _ := two.Authenticate(ctx, token); ok {
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
