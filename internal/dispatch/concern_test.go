package dispatch_test

import (
	"slices"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

var supervisor = staff(actor.RoleSupervisor, "supervisor1", "centre")

// employ puts the units and the people of the tests into the register of staff.
func (w *world) employ() {
	w.t.Helper()
	type org struct {
		City    int           `db:"city_id"`
		Code    string        `db:"code"`
		Kind    string        `db:"kind"`
		NameZH  string        `db:"name_zh"`
		NameEN  string        `db:"name_en"`
		Active  bool          `db:"active"`
		Version int64         `db:"version"`
		Created civil.Instant `db:"created_at"`
	}
	type person struct {
		ID      string        `db:"id"`
		City    int           `db:"city_id"`
		Login   string        `db:"login"`
		Name    string        `db:"name"`
		Org     string        `db:"org"`
		Word    string        `db:"password"`
		TOTP    string        `db:"totp"`
		On      bool          `db:"totp_on"`
		Step    int64         `db:"totp_step"`
		Change  bool          `db:"must_change"`
		Active  bool          `db:"active"`
		Version int64         `db:"version"`
		Created civil.Instant `db:"created_at"`
	}
	err := db.Do(ctx, w.d, func(tx *db.Tx) error {
		for code, kind := range map[string]string{"centre": "centre", "C1": "company", "C2": "company"} {
			if err := db.Insert(ctx, tx, "organisation", &org{City: city, Code: code, Kind: kind, NameZH: code, Active: true, Version: 1, Created: tx.Now}); err != nil {
				return err
			}
		}
		for _, a := range []actor.Actor{seat, sender, leader, head, supervisor, north, south} {
			if err := db.Insert(ctx, tx, "person", &person{ID: a.ID, City: city, Login: a.ID, Name: a.Name, Org: a.Org, Active: true, Version: 1, Created: tx.Now}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// traces lists the ways by which somebody can come upon a case.
func (w *world) traces(by actor.Actor, c cases.Case) []string {
	w.t.Helper()
	var out []string
	met := func(way string, found bool, err error) {
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
			w.t.Fatalf("%s: %v", way, err)
		}
		if err == nil && found {
			out = append(out, way)
		}
	}
	holds := func(all []cases.Case) bool {
		return slices.ContainsFunc(all, func(o cases.Case) bool { return o.ID == c.ID })
	}
	_, err := w.cases.Get(ctx, by, city, c.ID)
	met("get", true, err)
	_, err = w.cases.ByNo(ctx, by, city, c.No)
	met("number", true, err)
	_, err = w.cases.View(ctx, by, city, c.ID)
	met("view", true, err)
	_, err = w.cases.Reveal(ctx, by, cases.Act{City: city, ID: c.ID, Reason: "x"})
	met("reveal", true, err)
	met("attachment", true, w.cases.MayAttachment(ctx, by, city, c.Subject()))
	for _, f := range []cases.Filter{{}, {Flag: "staff"}, {Query: c.No}, {Query: "态度恶劣"}, {Query: "13803510009"}, {State: "open", Sort: "due"}, {Nature: "complaint"}, {IDs: []string{c.ID}}} {
		list, err := w.cases.List(ctx, by, city, f)
		met("list "+f.Flag+f.Query+f.State+string(f.Nature), holds(list.Items), err)
		n, err := w.cases.Count(ctx, by, city, f)
		met("count "+f.Flag+f.Query+f.State+string(f.Nature), n.N != int64(len(list.Items)), err)
		found := false
		err = w.cases.Export(ctx, by, city, f, func(o cases.Case) error { found = found || o.ID == c.ID; return nil })
		met("export "+f.Flag+f.Query+f.State+string(f.Nature), found, err)
	}
	log := audit.New(w.d)
	log.Kept = cases.KeptIn
	acts, err := log.List(ctx, by, city, audit.Filter{})
	met("audit", slices.ContainsFunc(acts.Items, func(e audit.Entry) bool { return e.Subject == c.Subject() }), err)
	changes, err := w.cases.Changes(ctx, by, city, 0)
	met("live", holds(changes), err)
	near, err := w.cases.Nearby(ctx, by, city, cases.Near{Phone: "13803510009"})
	met("nearby", holds(near.Caller), err)
	loads, err := w.cases.Loads(ctx, by, city)
	met("figures", slices.ContainsFunc(loads, func(l cases.Load) bool { return l.Status == c.Status && l.Company == "" }), err)
	_, err = w.cases.Redress(ctx, by, cases.Answering{Act: cases.Act{City: city, ID: c.ID, Version: -1}, Answer: "已处理"})
	if fault.Is(err, fault.Conflict) { // only whoever may answer learns that it changed
		out, err = append(out, "redress"), nil
	}
	met("redress", false, err)
	return out
}

func (w *world) blame(by actor.Actor, about cases.About) cases.Case {
	w.t.Helper()
	o, err := w.cases.Open(ctx, by, cold(func(in *cases.Opening) {
		in.Text, in.Category, in.Nature, in.TestRequest, in.About = "来人态度恶劣，说话难听", "", "", "", about
		in.Caller.Phone = "13803510009"
	}))
	if err != nil {
		w.t.Fatalf("complain: %v", err)
	}
	return o.Case
}

func TestComplaintAboutStaffGoesElsewhere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.employ()
		all := []actor.Actor{seat, sender, leader, head, supervisor, verifier, north, south}
		for name, tt := range map[string]struct {
			about cases.About
			sees  []string // people who come upon it; nobody else does in any way
		}{
			"a company's staff":     {cases.About{Org: "C1"}, []string{"leader1", "head1", "supervisor1"}},
			"a person of a company": {cases.About{Org: "C1", Person: "north1"}, []string{"leader1", "head1", "supervisor1"}},
			"a seat":                {cases.About{Org: "centre", Person: "seat1"}, []string{"leader1", "head1", "supervisor1"}},
			"a shift leader":        {cases.About{Org: "centre", Person: "leader1"}, []string{"head1", "supervisor1"}},
			"the supervisor":        {cases.About{Org: "centre", Person: "supervisor1"}, []string{"leader1", "head1"}},
		} {
			c := w.blame(seat, tt.about)
			if c.Company != "" || c.Proposed != "" || c.Status != cases.Reported {
				t.Errorf("%s: opened as %s of %q, proposed %q", name, c.Status, c.Company, c.Proposed)
			}
			for _, by := range all {
				got := w.traces(by, c)
				if want := slices.Contains(tt.sees, by.ID); want && !slices.Contains(got, "list staff") || !want && len(got) > 0 {
					t.Errorf("%s: %s met it by %q", name, by.ID, got)
				}
				if slices.Contains(got, "list ") || slices.Contains(got, "list open") || slices.Contains(got, "figures") {
					t.Errorf("%s: %s met it in an ordinary list: %q", name, by.ID, got)
				}
			}
		}
	})
}

func TestHandlerOfAUnitGetsItsComplaints(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.employ()
		if _, err := w.cases.NameHandler(ctx, north, cases.Naming{City: city, Org: "C1", Person: "north1"}); !fault.Is(err, fault.Denied) {
			t.Fatalf("a company named its own handler: %v", err)
		}
		if _, err := w.cases.NameHandler(ctx, head, cases.Naming{City: city, Org: "C1", Person: "north1"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.cases.NameHandler(ctx, head, cases.Naming{City: city, Org: "C1"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("naming beside somebody: %v, want a conflict", err)
		}
		mate := staff(actor.RoleCompany, "north2", "C1")
		c := w.blame(seat, cases.About{Org: "C1"})
		if got := w.traces(north, c); !slices.Contains(got, "list staff") || !slices.Contains(got, "get") {
			t.Errorf("the handler meets it by %q", got)
		}
		if got := w.traces(mate, c); len(got) > 0 {
			t.Errorf("a colleague meets it by %q", got)
		}
		if got := w.traces(north, w.blame(seat, cases.About{Org: "C1", Person: "north1"})); len(got) > 0 {
			t.Errorf("the handler, whom it concerns, meets it by %q", got)
		}
		c, err := w.cases.Redress(ctx, north, cases.Answering{Act: cases.Act{City: city, ID: c.ID, Version: c.Version}, Answer: "已批评教育并上门道歉"})
		if err != nil || c.Status != cases.Answered {
			t.Fatalf("answered by the handler: %v, %s", err, c.Status)
		}
		v, err := w.cases.View(ctx, supervisor, city, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, e := range v.Timeline {
			if e.Act == "case.seen" {
				seen = append(seen, e.Actor)
			}
		}
		if !slices.Equal(seen, []string{"north1"}) {
			t.Errorf("seen by %q before the supervisor", seen)
		}
	})
}

func TestComplaintAboutStaffIsNeverDispatched(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.employ()
		c := w.blame(seat, cases.About{Org: "C1"})
		act := cases.Act{City: city, ID: c.ID, Version: c.Version}
		c, err := w.cases.Accept(ctx, leader, act)
		if err != nil {
			t.Fatal(err)
		}
		act.Version = c.Version
		if _, err := w.cases.File(ctx, leader, cases.Filing{Act: act, Company: "C1"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("filed for dispatch: %v", err)
		}
		if _, err := w.cases.AnswerDirect(ctx, leader, cases.Answering{Act: act, Answer: "x"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("answered like a question: %v", err)
		}
		for _, e := range c.Allowed(leader) {
			if e == cases.File || e == cases.Answer || e == cases.Dispatch {
				t.Errorf("the page offers %s", e)
			}
		}
		plain := w.open(cold())
		if _, err := w.cases.Redress(ctx, leader, cases.Answering{Act: cases.Act{City: city, ID: plain.ID, Version: plain.Version}, Answer: "x"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a cold flat was answered like a complaint about staff: %v", err)
		}
	})
}

func TestResidentComplainsAboutWhomTheyMet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.employ()
		c := w.open(cold())
		proof := cases.Proof{Token: c.Token}
		met, err := w.cases.Encounters(ctx, city, proof)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, m := range met {
			kinds = append(kinds, m.Kind)
		}
		if !slices.Contains(kinds, "intake") || !slices.Contains(kinds, "centre") {
			t.Fatalf("may complain about %q", kinds)
		}
		in := cases.Complaint{City: city, Ref: "intake", Text: "接线员不耐烦，挂了电话", Key: "k1", Proof: proof}
		p, err := w.cases.ComplainOwn(ctx, actor.Anonymous(actor.Public), in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.cases.ComplainOwn(ctx, actor.Anonymous(actor.Public), in)
		if err != nil || again.No != p.No {
			t.Errorf("sent twice: %s and %s, %v", p.No, again.No, err)
		}
		own, err := w.cases.Get(ctx, supervisor, city, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.traces(seat, own); len(got) > 0 {
			t.Errorf("who took the report down meets the complaint by %q", got)
		}
		who, err := w.cases.Concerning(ctx, supervisor, own)
		if err != nil || who.ID != "seat1" {
			t.Errorf("about %+v, %v", who, err)
		}
		v, err := w.cases.View(ctx, seat, city, c.ID)
		if err != nil || len(v.Links) > 0 || v.Case.Linked {
			t.Errorf("the first case leads to the complaint: %+v, %v", v.Links, err)
		}
		in.Ref, in.Key = "019000", "k2"
		if _, err := w.cases.ComplainOwn(ctx, actor.Anonymous(actor.Public), in); !fault.Is(err, fault.Invalid) {
			t.Errorf("about an act of another case: %v", err)
		}
		if more, err := w.cases.Encounters(ctx, city, cases.Proof{Token: own.Token}); err != nil || len(more) > 0 {
			t.Errorf("a complaint about a complaint: %v, %v", more, err)
		}
	})
}
