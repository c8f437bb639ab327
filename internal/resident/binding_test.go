package resident_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
)

const home, bare, none = "1000001", "1000002", "1999999"

func (k *hall) bind(by actor.Actor, account string, p resident.Proof, value string) (resident.Binding, error) {
	return k.Bind(ctx, by, resident.BindInput{City: city, Account: account, Proof: p, Value: value, Address: "a"})
}

func TestProofs(t *testing.T) {
	for _, c := range []struct {
		name, who, account string
		proof              resident.Proof
		value, want        string
	}{
		{"the telephone on file", mother, home, resident.OwnPhone, "", ""},
		{"the telephone on file whatever is typed", mother, " 1000-001 ", resident.Last4, "9999", ""},
		{"another telephone", son, home, resident.OwnPhone, "", "resident.no_match"},
		{"its last four digits", son, home, resident.Last4, "0001", ""},
		{"in full width", son, "１０００００１", resident.Last4, "０００１", ""},
		{"wrong digits", son, home, resident.Last4, "0002", "resident.no_match"},
		{"fewer digits", son, home, resident.Last4, "001", "resident.no_match"},
		{"more digits", son, home, resident.Last4, "10001", "resident.no_match"},
		{"the sum of a bill", son, home, resident.Bill, "1964.20", ""},
		{"with its unit", son, home, resident.Bill, "1964.2元", ""},
		{"another sum", son, home, resident.Bill, "1964.21", "resident.no_match"},
		{"no sum", son, home, resident.Bill, "a lot", "resident.no_match"},
		{"no such account", son, none, resident.Last4, "0001", "resident.no_match"},
		{"no telephone on file", son, bare, resident.Last4, "0001", "resident.no_match"},
		{"no bill on file", son, bare, resident.Bill, "0", "resident.no_match"},
		{"a code that nobody asked for", son, home, resident.HolderCode, "000000", "resident.no_match"},
		{"nothing typed", son, home, resident.Last4, " ", "field.required"},
		{"a proof that is none", son, home, "trust me", "x", "field.not_one_of"},
		{"paper is for staff", son, home, resident.Paper, "x", "field.not_one_of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, options{}, func(k *hall) {
				by := k.enter(c.who)
				b, err := k.bind(by, c.account, c.proof, c.value)
				if got := key(err); got != c.want {
					k.t.Fatalf("%v; want %q", err, c.want)
				}
				list, err := k.Homes(ctx, by, city)
				if err != nil || (len(list) == 1) != (c.want == "") {
					k.t.Fatalf("homes %+v %v", list, err)
				}
				if c.want == "" && (b.Account != home || b.Community != "阳光花园" || b.Company != "C1" || b.State != resident.Held) {
					k.t.Errorf("bound %+v", b)
				}
			})
		})
	}
}

// TestNobodyLearnsWhichAccountsExist types wrong proofs for an account that exists and for one that does not.
func TestNobodyLearnsWhichAccountsExist(t *testing.T) {
	each(t, options{}, func(k *hall) {
		by := k.enter(stranger)
		said := map[string][]string{}
		for _, account := range []string{home, none} {
			for range 2 {
				_, err := k.bind(by, account, resident.Last4, "4711")
				said[account] = append(said[account], err.Error())
			}
			a, err := k.RequestHolderCode(ctx, by, resident.HolderInput{City: city, Account: account, Address: "b" + account})
			if err != nil {
				k.t.Fatal(err)
			}
			said[account] = append(said[account], strings.Repeat("x", a.Minutes)+strings.Repeat("y", a.Again))
			if _, err := k.May(ctx, by, city, account, resident.MayRead); !fault.Is(err, fault.NotFound) {
				k.t.Errorf("%s: %v", account, err)
			} else {
				said[account] = append(said[account], err.Error())
			}
			if _, err := k.People(ctx, by, city, account); !fault.Is(err, fault.NotFound) {
				k.t.Errorf("%s: %v", account, err)
			}
		}
		if a, b := strings.Join(said[home], "\n"), strings.Join(said[none], "\n"); a != b {
			k.t.Errorf("an account that exists:\n%s\nand one that does not:\n%s", a, b)
		}
		if k.Counts()[resident.EventBadBind] != 4 || strings.Count(k.log.String(), "bad_bind") != 4 || strings.Contains(k.log.String(), home) {
			k.t.Errorf("counted %d, log:\n%s", k.Counts()[resident.EventBadBind], k.log.String())
		}
	})
}

// TestAnAccountIsNotGuessedByMany: residents with telephones of their own guess at one account, each only a little.
func TestAnAccountIsNotGuessedByMany(t *testing.T) {
	each(t, options{}, func(k *hall) {
		heard := 0
		for n := range 10 {
			by := k.enter("1370000000" + string(rune('0'+n)))
			_, err := k.bind(by, home, resident.Last4, "99"+string(rune('0'+n))+"9")
			if key(err) == "resident.no_match" {
				heard++
			} else if !fault.Is(err, fault.Exhausted) {
				k.t.Fatal(err)
			}
			k.advance(time.Second)
		}
		if heard != 5 {
			k.t.Errorf("%d guesses at one account were heard; want 5", heard)
		}
	})
}

func TestTheHolderAgreesWithACode(t *testing.T) {
	each(t, options{}, func(k *hall) {
		by, other := k.enter(son), k.enter(stranger)
		if _, err := k.RequestHolderCode(ctx, by, resident.HolderInput{City: city, Account: home, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		code := k.code(mother)
		sent := k.fake.Sent()
		if said := sent[len(sent)-1].Text; !strings.Contains(said, "139****0002") || strings.Contains(said, home) {
			k.t.Errorf("the holder reads %q", said)
		}
		if _, err := k.bind(other, home, resident.HolderCode, code); key(err) != "resident.no_match" {
			k.t.Errorf("somebody else used the code: %v", err)
		}
		if _, err := k.Bind(ctx, by, resident.BindInput{City: city, Account: home, Proof: resident.HolderCode, Value: code, Help: true, Scope: resident.MayRead, Until: k.d.Now().Date(), Address: "a"}); key(err) != "resident.no_match" {
			k.t.Errorf("a code for a member made a helper: %v", err)
		}
		if _, err := k.bind(by, home, resident.HolderCode, code); err != nil {
			k.t.Error(err)
		}
	})
}

func TestTheHolderIsToldOfAStranger(t *testing.T) {
	each(t, options{}, func(k *hall) {
		if _, err := k.bind(k.enter(son), home, resident.Last4, "0001"); err != nil {
			k.t.Fatal(err)
		}
		k.work()
		sent := k.fake.Sent()
		if last := sent[len(sent)-1]; last.To != mother || !strings.Contains(last.Text, "139****0002") {
			k.t.Errorf("told %+v", last)
		}
		holder := k.enter(mother)
		if _, err := k.bind(holder, home, resident.OwnPhone, ""); err != nil {
			k.t.Fatal(err)
		}
		kin, err := k.People(ctx, holder, city, home)
		if err != nil || len(kin) != 2 || kin[0].Phone != "139****0002" || !kin[0].MayEnd || !kin[1].Self {
			k.t.Fatalf("%+v %v", kin, err)
		}
		son := resident.As(city, mustPerson(k, son), actor.Public)
		if err := k.GiveUp(ctx, son, city, kin[1].ID, kin[1].Version); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("the stranger took the holder's home away: %v", err)
		}
		if err := k.GiveUp(ctx, holder, city, kin[0].ID, kin[0].Version); err != nil {
			k.t.Fatal(err)
		}
		if _, err := k.May(ctx, son, city, home, resident.MayRead); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("taken back and still seen: %v", err)
		}
	})
}

func mustPerson(k *hall, phone string) string {
	k.t.Helper()
	k.advance(2 * time.Hour)
	p, _ := resident.PersonOf(k.enter(phone))
	return p
}

func TestHelpers(t *testing.T) {
	each(t, options{limits: generous}, func(k *hall) {
		now := dbtest.NewClock()
		k.d.SetClock(now.Now)
		today := now.Now().Date()
		holder, helper := k.enter(mother), k.enter(son)
		if _, err := k.bind(holder, home, resident.OwnPhone, ""); err != nil {
			k.t.Fatal(err)
		}
		add := func(by actor.Actor, scope resident.Scope, until civil.Date) (resident.Binding, error) {
			return k.AddHelper(ctx, by, resident.HelperInput{City: city, Account: home, Phone: son, Scope: scope, Until: until})
		}
		for _, bad := range []civil.Date{{}, today.AddDays(-1), today.AddDays(400)} {
			if _, err := add(holder, resident.MayRead, bad); key(err) != "resident.until_bounds" {
				k.t.Errorf("until %s: %v", bad, err)
			}
		}
		if _, err := add(helper, resident.MayAct, today); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("a stranger names helpers: %v", err)
		}
		if _, err := add(holder, resident.MayRead, today.AddDays(10)); err != nil {
			k.t.Fatal(err)
		}
		if _, err := k.May(ctx, helper, city, home, resident.MayRead); err != nil {
			k.t.Errorf("may not look: %v", err)
		}
		if _, err := k.May(ctx, helper, city, home, resident.MayAct); key(err) != "resident.read_only" {
			k.t.Errorf("acts without consent: %v", err)
		}
		b, err := add(holder, resident.MayAct, today.AddDays(10)) // the wider consent takes the place of the first
		if err != nil {
			k.t.Fatal(err)
		}
		if _, err := k.May(ctx, helper, city, home, resident.MayAct); err != nil {
			k.t.Errorf("may not act: %v", err)
		}
		if _, err := k.AddHelper(ctx, helper, resident.HelperInput{City: city, Account: home, Phone: stranger, Scope: resident.MayRead, Until: today}); key(err) != "resident.members_only" {
			k.t.Errorf("a helper names helpers: %v", err)
		}
		now.Advance(10 * 24 * time.Hour)
		if _, err := k.May(ctx, helper, city, home, resident.MayAct); err != nil {
			k.t.Errorf("the last day counts: %v", err)
		}
		now.Advance(24 * time.Hour)
		if _, err := k.May(ctx, helper, city, home, resident.MayRead); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("beyond the day: %v", err)
		}
		if err := k.Sweep(ctx, city); err != nil {
			k.t.Fatal(err)
		}
		if err := k.GiveUp(ctx, holder, city, b.ID, b.Version+1); !fault.Is(err, fault.Conflict) {
			k.t.Errorf("ended by its day, then by hand: %v", err)
		}
	})
}

func TestAHelperComesWithTheParentsCode(t *testing.T) {
	each(t, options{}, func(k *hall) {
		by := k.enter(son)
		in := resident.BindInput{City: city, Account: home, Proof: resident.Last4, Value: "0001", Help: true, Scope: resident.MayAct, Until: k.d.Now().Date().AddDays(90), Address: "a"}
		if _, err := k.Bind(ctx, by, in); key(err) != "resident.help_needs_code" {
			k.t.Errorf("help without consent: %v", err)
		}
		if _, err := k.RequestHolderCode(ctx, by, resident.HolderInput{City: city, Account: home, Help: true, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		in.Proof, in.Value = resident.HolderCode, k.code(mother)
		b, err := k.Bind(ctx, by, in)
		if err != nil || b.Role != resident.Helper || b.Scope != resident.MayAct || b.Until != in.Until {
			k.t.Errorf("%+v %v", b, err)
		}
	})
}

func (k *hall) photo() blob.Stored {
	k.t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		k.t.Fatal(err)
	}
	kept, err := k.blobs.Keep(ctx, blob.Upload{City: city, Purpose: blob.Photo, Name: "bill.png", Reader: &b})
	if err != nil {
		k.t.Fatal(err)
	}
	return kept
}

func (k *hall) ask(by actor.Actor, words string) resident.Binding {
	k.t.Helper()
	b, err := k.AskByPaper(ctx, by, resident.PaperInput{City: city, Words: words, Photos: []blob.Stored{k.photo()}})
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

func TestStaffLookAtAPaper(t *testing.T) {
	each(t, options{}, func(k *hall) {
		by := k.enter(son)
		if _, err := k.AskByPaper(ctx, by, resident.PaperInput{City: city, Words: "阳光花园3号楼"}); key(err) != "resident.paper_needed" {
			k.t.Errorf("without a photo: %v", err)
		}
		known, unknown := k.ask(by, "阳光花园3号楼1单元601"), k.ask(by, "某某小区 5-3-2")
		for _, c := range []struct {
			by   actor.Actor
			want int
		}{{seat, 2}, {ofCompany("C1"), 1}, {ofCompany("C2"), 0}} {
			list, err := k.Waiting(ctx, c.by, city, resident.Filter{})
			if err != nil || len(list.Items) != c.want {
				k.t.Errorf("%s sees %d %v; want %d", c.by.ID, len(list.Items), err, c.want)
			}
			for _, a := range list.Items {
				if a.Phone != "139****0002" || len(a.Papers) != 1 {
					k.t.Errorf("%s sees %+v", c.by.ID, a)
				}
			}
		}
		if _, err := k.Waiting(ctx, by, city, resident.Filter{}); !fault.Is(err, fault.Denied) {
			k.t.Errorf("a resident reads the list: %v", err)
		}
		if err := k.MaySeePaper(ctx, ofCompany("C2"), city, known.Subject()); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("another company sees the paper: %v", err)
		}
		if err := k.MaySeePaper(ctx, ofCompany("C1"), city, known.Subject()); err != nil {
			k.t.Error(err)
		}
		yes := resident.Decision{City: city, ID: known.ID, Version: known.Version, Approve: true, Account: home}
		if _, err := k.Decide(ctx, ofCompany("C2"), yes); !fault.Is(err, fault.NotFound) {
			k.t.Errorf("another company approves: %v", err)
		}
		foreign := yes
		foreign.Account = bare
		if _, err := k.Decide(ctx, ofCompany("C1"), foreign); key(err) != "resident.no_such_account" {
			k.t.Errorf("an account of another company: %v", err)
		}
		if b, err := k.Decide(ctx, ofCompany("C1"), yes); err != nil || b.State != resident.Held || b.Room != "601" {
			k.t.Errorf("%+v %v", b, err)
		}
		no := resident.Decision{City: city, ID: unknown.ID, Version: unknown.Version}
		if _, err := k.Decide(ctx, seat, no); key(err) != "field.required" {
			k.t.Errorf("refused without a reason: %v", err)
		}
		no.Reason = "照片看不清"
		if b, err := k.Decide(ctx, seat, no); err != nil || b.State != resident.Refused {
			k.t.Errorf("%+v %v", b, err)
		}
		list, err := k.Homes(ctx, by, city)
		if err != nil || len(list) != 2 || list[0].State != resident.Held || list[1].Reason != "照片看不清" {
			k.t.Errorf("%+v %v", list, err)
		}
		k.work()
		told := map[string]int{}
		for _, m := range k.fake.Sent() {
			told[m.Template]++
		}
		if told["message.resident.held"] != 1 || told["message.resident.refused"] != 1 || told["message.resident.bound"] != 1 {
			k.t.Errorf("told %v", told)
		}
	})
}

func TestTwoDecideAtOnce(t *testing.T) {
	each(t, options{}, func(k *hall) {
		b := k.ask(k.enter(son), "阳光花园3号楼1单元601")
		var done atomic.Int64
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				in := resident.Decision{City: city, ID: b.ID, Version: b.Version, Approve: n%2 == 0, Account: home, Reason: "看不清"}
				_, err := k.Decide(ctx, seat, in)
				switch {
				case err == nil:
					done.Add(1)
				case !fault.Is(err, fault.Conflict):
					k.t.Error(err)
				}
			})
		}
		wg.Wait()
		if done.Load() != 1 {
			k.t.Errorf("%d decisions on one paper", done.Load())
		}
	})
}

func TestPapersAreBounded(t *testing.T) {
	each(t, options{}, func(k *hall) {
		by := k.enter(son)
		for range 3 {
			k.ask(by, "阳光花园3号楼1单元601")
		}
		_, err := k.AskByPaper(ctx, by, resident.PaperInput{City: city, Words: "阳光花园", Photos: []blob.Stored{k.photo()}})
		if key(err) != "resident.too_many_asked" {
			k.t.Errorf("a fourth: %v", err)
		}
	})
}

func TestStaffTakeConsentDown(t *testing.T) {
	each(t, options{}, func(k *hall) {
		in := resident.ConsentInput{City: city, Account: home, Phone: son, Role: resident.Helper, Scope: resident.MayAct, Until: k.d.Now().Date().AddDays(30), Reason: "录音来电 0115-3"}
		if _, err := k.TakeConsent(ctx, k.enter(stranger), in); !fault.Is(err, fault.Denied) {
			k.t.Errorf("a resident took it down: %v", err)
		}
		if _, err := k.TakeConsent(ctx, ofCompany("C2"), in); key(err) != "resident.no_such_account" {
			k.t.Errorf("another company: %v", err)
		}
		if _, err := k.TakeConsent(ctx, seat, in); err != nil {
			k.t.Fatal(err)
		}
		if _, err := k.May(ctx, k.enter(son), city, home, resident.MayAct); err != nil {
			k.t.Errorf("may not act: %v", err)
		}
	})
}
