package resident_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
)

// holds asks whether a token is good, and gives the token to go on with.
func (k *hall) holds(token string) (string, bool) {
	k.t.Helper()
	who, ok, err := k.Authenticate(ctx, city, token)
	if err != nil {
		k.t.Fatal(err)
	}
	if who.Renewed != "" {
		token = who.Renewed
	}
	return token, ok
}

func TestASessionChangesItsToken(t *testing.T) {
	each(t, options{}, func(k *hall) {
		old := k.ticket(mother).Token
		k.advance(time.Hour)
		if same, ok := k.holds(old); !ok || same != old {
			k.t.Fatal("the token changed within its day")
		}
		k.advance(24 * time.Hour)
		fresh, ok := k.holds(old)
		if !ok || fresh == old {
			k.t.Fatal("the token did not change after a day")
		}
		if _, ok := k.holds(old); !ok {
			k.t.Error("another request of the same page was refused")
		}
		k.advance(time.Minute)
		if _, ok := k.holds(fresh); !ok {
			k.t.Fatal("the new token does not hold")
		}
		k.advance(time.Hour)
		if _, ok := k.holds(old); ok {
			k.t.Error("a copy of the old token holds")
		}
		if _, ok := k.holds(fresh); ok {
			k.t.Error("the session goes on although somebody has a copy")
		}
		if k.Counts()[resident.EventTheft] != 1 {
			k.t.Error("the copy was not counted")
		}
	})
}

// TestALostAnswerDoesNotLogOut: the browser never got the new token, because the network broke.
func TestALostAnswerDoesNotLogOut(t *testing.T) {
	each(t, options{}, func(k *hall) {
		old := k.ticket(mother).Token
		k.advance(25 * time.Hour)
		if _, ok := k.holds(old); !ok {
			k.t.Fatal("refused")
		}
		k.advance(time.Hour)
		fresh, ok := k.holds(old)
		if !ok || fresh == old {
			k.t.Fatal("whoever lost the answer was logged out")
		}
		k.advance(time.Hour)
		if _, ok := k.holds(fresh); !ok {
			k.t.Error("the token that came at last does not hold")
		}
	})
}

func TestASessionEnds(t *testing.T) {
	each(t, options{limits: generous}, func(k *hall) {
		token := k.ticket(mother).Token
		k.advance(91 * 24 * time.Hour)
		if _, ok := k.holds(token); ok {
			k.t.Error("unused for 91 days and still good")
		}
		a, b := k.ticket(mother), k.ticket(mother)
		by := resident.As(city, a.Person, actor.Public)
		who, _, err := k.Authenticate(ctx, city, a.Token)
		if err != nil {
			k.t.Fatal(err)
		}
		list, err := k.Sessions(ctx, by, city, who.Session)
		if err != nil || len(list) != 2 || list[0].This || !list[1].This {
			k.t.Errorf("sessions %+v %v", list, err)
		}
		other := k.enter(son)
		if err := k.Leave(ctx, other, city, who.Session); err != nil {
			k.t.Fatal(err)
		}
		if _, ok := k.holds(a.Token); !ok {
			k.t.Error("a stranger ended the session")
		}
		if err := k.Leave(ctx, by, city, who.Session); err != nil {
			k.t.Fatal(err)
		}
		if _, ok := k.holds(a.Token); ok {
			k.t.Error("logged out and still good")
		}
		if _, ok := k.holds(b.Token); !ok {
			k.t.Error("the other telephone was logged out too")
		}
		if err := k.Leave(ctx, by, city, ""); err != nil {
			k.t.Fatal(err)
		}
		if _, ok := k.holds(b.Token); ok {
			k.t.Error("logged out everywhere and still good")
		}
	})
}

func TestForeignTokensAreNobodys(t *testing.T) {
	each(t, options{}, func(k *hall) {
		for _, token := range []string{"", "x", string(make([]byte, 5000)), "' OR '1'='1"} {
			if _, ok := k.holds(token); ok {
				k.t.Errorf("%q holds", token)
			}
		}
	})
}

func TestAnIdentityLogsInWithoutACode(t *testing.T) {
	each(t, options{limits: generous}, func(k *hall) {
		if _, err := k.EnterBy(ctx, visitor, city, resident.WeChat, "openid-1", ""); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("an id that nobody joined: %v", err)
		}
		a, b := k.enter(mother), k.enter(son)
		me, _ := resident.PersonOf(a)
		for range 2 {
			link := resident.Link{City: city, Person: me, Channel: resident.WeChat, External: "openid-1"}
			if err := db.Do(ctx, k.d, func(tx *db.Tx) error { return k.LinkIdentityIn(ctx, tx, a, link) }); err != nil {
				k.t.Fatal(err)
			}
		}
		t, err := k.EnterBy(ctx, visitor, city, resident.WeChat, "openid-1", "MicroMessenger")
		if err != nil || t.Person != me {
			k.t.Fatalf("%+v %v", t, err)
		}
		list, err := k.Identities(ctx, a, city)
		if err != nil || len(list) != 1 {
			k.t.Fatalf("%+v %v", list, err)
		}
		if err := k.Unlink(ctx, b, city, list[0].ID); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("a stranger took it apart: %v", err)
		}
		if err := k.Unlink(ctx, a, city, list[0].ID); err != nil {
			k.t.Fatal(err)
		}
		if _, ok := k.holds(t.Token); ok {
			k.t.Error("the login that came through it goes on")
		}
		if _, err := k.EnterBy(ctx, visitor, city, resident.WeChat, "openid-1", ""); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("it still logs in: %v", err)
		}
	})
}

// TestAnIdentityMoves: a telephone that the family shares logs in with the daughter's number from now on.
func TestAnIdentityMoves(t *testing.T) {
	each(t, options{limits: generous}, func(k *hall) {
		a, b := k.enter(mother), k.enter(son)
		for _, by := range []actor.Actor{a, b} {
			who, _ := resident.PersonOf(by)
			link := resident.Link{City: city, Person: who, Channel: resident.WeChat, External: "openid-1"}
			if err := db.Do(ctx, k.d, func(tx *db.Tx) error { return k.LinkIdentityIn(ctx, tx, by, link) }); err != nil {
				k.t.Fatal(err)
			}
		}
		t, err := k.EnterBy(ctx, visitor, city, resident.WeChat, "openid-1", "")
		if want, _ := resident.PersonOf(b); err != nil || t.Person != want {
			k.t.Errorf("%+v %v", t, err)
		}
		if list, err := k.Identities(ctx, a, city); err != nil || len(list) != 0 {
			k.t.Errorf("the first keeps %+v %v", list, err)
		}
	})
}

func TestStaffAreNoResidents(t *testing.T) {
	each(t, options{}, func(k *hall) {
		for _, by := range []actor.Actor{visitor, seat, {ID: "resident:x", Kind: actor.Person}} {
			if _, err := k.Phone(ctx, by, city); !fault.Is(err, fault.Denied) {
				k.t.Errorf("%s: %v", by.ID, err)
			}
			if _, err := k.Homes(ctx, by, city); !fault.Is(err, fault.Denied) {
				k.t.Errorf("%s: %v", by.ID, err)
			}
		}
	})
}
