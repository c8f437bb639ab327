package dispatch_test

import (
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
)

// letter is a letter as the mail room hands it over.
func letter(no string, edits ...func(*cases.Opening)) cases.Opening {
	in := cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Letter, Text: "家中供热不足，请予解决", Category: "cold_home", Address: "向阳花园3号楼2单元601",
		Caller: cases.Party{Name: "王桂兰"}, Origin: cases.Origin{No: no, Dated: civil.NewDate(2026, 1, 10)},
	}
	for _, e := range edits {
		e(&in)
	}
	return in
}

// instruction is a leader's instruction with three days' time.
func (w *world) instruction(no string, edits ...func(*cases.Opening)) cases.Opening {
	return letter(no, append([]func(*cases.Opening){func(o *cases.Opening) {
		o.Channel = cases.Leader
		o.Origin.From, o.Origin.Office, o.Origin.Text, o.Origin.Due = "分管副市长", "市政府督查室", "请供热中心三日内解决并报结果", w.now.Now().Add(72*time.Hour)
	}}, edits...)...)
}

func (w *world) view(c cases.Case) cases.View {
	w.t.Helper()
	v, err := w.cases.View(ctx, head, city, c.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// The time of a letter runs from its receipt, without a second person's check, and what it does not say is left open.
func TestALetterRunsFromReceipt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		at := w.now.Now().Add(-20 * time.Hour)
		c := w.open(letter("暖收〔2026〕12号", func(o *cases.Opening) { o.ReceivedAt = at }))
		if c.ReceivedAt != at || c.Paper || len(c.Missing) == 0 || c.DocNo != "暖收〔2026〕12号" {
			t.Errorf("received %s, paper %t, missing %v, number %q", c.ReceivedAt, c.Paper, c.Missing, c.DocNo)
		}
		if k := w.clock(c, citypack.ClockResident); k.Started != at {
			t.Errorf("the resident's clock starts %s, want %s", k.Started, at)
		}
		v := w.view(c)
		if v.Origin == nil || v.Origin.Dated != civil.NewDate(2026, 1, 10) || v.Origin.No != c.DocNo {
			t.Errorf("behind it stands %+v", v.Origin)
		}
		for _, q := range []string{"暖收〔2026〕12号", "12号", "[2026]12号"} {
			if n := w.count(cases.Filter{Query: q}); n != 1 {
				t.Errorf("searched for %q: %d cases", q, n)
			}
		}
		for no, want := range map[string]int64{"暖收〔2026〕12号": 1, "暖收[2026]12号": 1, " 暖收（2026）12号": 1, "暖收〔2026〕1号": 0} {
			if n := w.count(cases.Filter{Doc: no}); n != want {
				t.Errorf("filtered by %q: %d cases, want %d", no, n, want)
			}
		}
		if n := w.count(cases.Filter{Channel: cases.Letter}); n != 1 {
			t.Errorf("letters: %d", n)
		}
	})
}

func (w *world) count(f cases.Filter) int64 {
	w.t.Helper()
	n, err := w.cases.Count(ctx, head, city, f)
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.cases.List(ctx, head, city, f)
	if err != nil || int64(len(list.Items)) != n.N {
		w.t.Errorf("%+v: counted %d, listed %d, %v", f, n.N, len(list.Items), err)
	}
	return n.N
}

// A number of the register is one case in a year, however its brackets are written; whoever may read that case learns which.
func TestOneNumberIsOneCase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first := w.open(letter("暖收〔2026〕12号"))
		_, err := w.cases.Open(ctx, seat, letter("暖收[2026] 12号"))
		if f := fault.Of(err); !fault.Is(err, fault.Conflict) || f.Key != "case.origin.number_taken" || f.Params["case"] != first.No || f.Params["id"] != first.ID {
			t.Errorf("the same letter twice: %v", err)
		}
		partner := staff(actor.RolePartner, "p", "x")
		partner.Grants[0].Districts = []string{"990102"}
		if _, err := w.cases.Open(ctx, partner, letter("暖收〔2026〕12号", func(o *cases.Opening) { o.Door = citypack.DoorAPI })); fault.Of(err).Params["case"] != nil {
			t.Errorf("who may not read the case learns of it: %v", err)
		}
		w.open(w.instruction("暖收〔2026〕12号")) // of another register
		w.open(letter("暖收〔2026〕12号", func(o *cases.Opening) {
			o.ReceivedAt, o.Origin.Dated = civil.On(civil.NewDate(2025, 12, 30), 9, 0), civil.NewDate(2025, 12, 28)
		}))
		visit := cold(func(o *cases.Opening) {
			o.Door, o.Channel, o.Origin = citypack.DoorCounter, cases.Counter, cases.Origin{No: "A012", Brought: "温度计照片"}
		})
		w.open(visit)
		w.open(visit) // queue numbers come again every day
		void := w.must(w.cases.Cancel(ctx, leader, act(first, "重复录入")))
		if again := w.open(letter("暖收〔2026〕12号")); again.ID == void.ID {
			t.Error("a void record keeps its number")
		}
	})
}

// Ten seats record the same letter at once: one case comes of it, and nine hear its number.
func TestTheSameLetterAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const n = 10
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { _, errs[i] = w.cases.Open(ctx, seat, letter("暖收〔2026〕77号")) })
		}
		wg.Wait()
		opened := 0
		for _, err := range errs {
			switch {
			case err == nil:
				opened++
			case fault.Of(err).Key != "case.origin.number_taken" || fault.Of(err).Params["case"] == "":
				t.Errorf("one of the others: %v", err)
			}
		}
		if all := w.count(cases.Filter{}); opened != 1 || all != 1 {
			t.Errorf("%d opened, %d cases", opened, all)
		}
	})
}

// The deadline of an instruction has a clock of its own, which no pause of the case stops; the report ends it.
func TestAnInstructionsClock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := w.instruction("暖政批〔2026〕3号")
		c := w.open(in)
		if !c.ReportDue || c.DocDue != in.Origin.Due {
			t.Errorf("report due %t by %s", c.ReportDue, c.DocDue)
		}
		k := w.clock(c, citypack.ClockInstruction)
		if k.Due != in.Origin.Due || k.Party != citypack.PartyCentre || k.Started != c.ReceivedAt || k.State != clock.Running {
			t.Errorf("the clock is %+v", k)
		}
		if w.clock(c, citypack.ClockResident).Due == k.Due {
			t.Error("the case's own clock ends with the instruction's")
		}
		for f, want := range map[string]int64{"report": w.count(cases.Filter{Flag: "report_due", State: "open"}), "due": w.count(cases.Filter{DocDue: k.Due.Date()})} {
			if want != 1 {
				t.Errorf("%s: %d cases", f, want)
			}
		}
		if n := w.count(cases.Filter{DocDue: k.Due.Date().AddDays(-1)}); n != 0 {
			t.Errorf("due a day before: %d cases", n)
		}
		reply := cases.Replying{Act: act(c), No: "暖热报〔2026〕5号", Signer: "李主任", Way: "official", Text: "已修复，室温20度。"}
		if _, err := w.cases.SendReply(ctx, north, reply); !fault.Is(err, fault.Denied) {
			t.Errorf("the company reports: %v", err)
		}
		w.now.Advance(time.Hour)
		done := w.must(w.cases.SendReply(ctx, seat, reply))
		if k := w.clock(done, citypack.ClockInstruction); done.ReportDue || k.State != clock.Stopped || !k.Breached.IsZero() {
			t.Errorf("after the report: due %t, clock %s breached %s", done.ReportDue, k.State, k.Breached)
		}
		v := w.view(done)
		if len(v.Replies) != 1 || v.Replies[0].To != "市政府督查室" || v.Replies[0].Kind != cases.Report || v.Replies[0].No != reply.No {
			t.Errorf("what went back: %+v", v.Replies)
		}
		if _, err := w.cases.SendReply(ctx, seat, reply); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same version again: %v", err)
		}
	})
}

// A late report leaves the breach, whenever it is entered; one that was sent in time and is entered late does not.
func TestALateReport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		late, kept := w.open(w.instruction("1")), w.open(w.instruction("2"))
		sent := w.now.Now().Add(time.Hour)
		w.now.Advance(100 * time.Hour)
		report := func(c cases.Case, at civil.Instant) clock.Clock {
			c = w.must(w.cases.SendReply(ctx, seat, cases.Replying{Act: cases.Act{City: city, ID: c.ID}, Signer: "李", Way: "hand", Text: "已办", SentAt: at}))
			return w.clock(c, citypack.ClockInstruction)
		}
		if k := report(late, 0); k.Breached != k.Due {
			t.Errorf("too late: breached %s", k.Breached)
		}
		if k := report(kept, sent); !k.Breached.IsZero() || k.Stopped != sent {
			t.Errorf("in time: breached %s, stopped %s", k.Breached, k.Stopped)
		}
	})
}

// Every way out of a case is closed while a leader waits for the report.
func TestNoEndWithoutTheReport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		refused := func(name string, err error) {
			t.Helper()
			if f := fault.Of(err); !fault.Is(err, fault.Conflict) || f.Key != "case.origin.report_first" || f.Params["office"] != "市政府督查室" {
				t.Errorf("%s: %v", name, err)
			}
		}
		in := w.instruction("1")
		in.Category, in.Nature = "inquiry", citypack.Inquiry
		in.Address = ""
		open := w.open(in)
		_, err := w.cases.AnswerDirect(ctx, sender, cases.Answering{Act: act(open), Answer: "已答"})
		refused("answered directly", err)
		_, err = w.cases.Withdraw(ctx, sender, act(open, "不要了"))
		refused("withdrawn", err)
		held := in
		held.Hold, held.Origin.No = true, "2"
		rejected := w.open(held)
		_, err = w.cases.Reject(ctx, sender, act(rejected, "不属"))
		refused("turned down", err)
		rejected = w.must(w.cases.AskConfirm(ctx, sender, act(w.must(w.cases.Accept(ctx, sender, act(rejected))))))
		_, err = w.cases.Refute(ctx, sender, act(rejected, "不属实"))
		refused("refuted on the spot", err)
		out, err := w.sends.Batch(ctx, sender, dispatch.Batch{City: city, Do: "answer", IDs: []string{open.ID}, Answer: "已答", Reason: "已答"})
		if err != nil || len(out) != 1 {
			t.Fatal(out, err)
		}
		refused("answered among many", out[0].Err)

		c := w.open(w.instruction("3", func(o *cases.Opening) { o.Caller.Phone = "13803510001" }))
		_, err = w.cases.Terminate(ctx, leader, act(c, "终止"))
		refused("terminated", err)
		c = w.handled(c)
		c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "yes", Channel: "phone"}))
		_, err = w.cases.Close(ctx, sender, cases.Answering{Act: act(c), Answer: "已修"})
		refused("closed", err)
		if k := w.clock(c, citypack.ClockInstruction); k.State != clock.Running {
			t.Errorf("what was refused stopped the clock: %s", k.State)
		}
		c = w.must(w.cases.SendReply(ctx, sender, cases.Replying{Act: act(c), Signer: "李", Way: "official", Text: "已办结"}))
		c = w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c), Answer: "已修"}))
		if c.Status != cases.Closed {
			t.Errorf("after the report: %s", c.Status)
		}
		again := w.must(w.cases.Reopen(ctx, sender, cases.Reopening{Act: act(c), Channel: cases.Phone}))
		if !again.ReportDue {
			t.Error("a case taken up again is not reported anew")
		}
		if void := w.must(w.cases.Cancel(ctx, leader, act(open, "重复"))); void.ReportDue || void.Status != cases.Void {
			t.Errorf("void: %s, report due %t", void.Status, void.ReportDue)
		}
	})
}

// A journalist is nobody's caller: sealed, masked, shown on request with its entry in the audit, and not to the company.
func TestThePress(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := letter("", func(o *cases.Opening) {
			o.Channel, o.Caller = cases.Media, cases.Party{}
			o.Origin = cases.Origin{
				From: "暖城晚报", Link: "https://example.org/cold", Answerer: "新闻科张科长", Due: w.now.Now().Add(5 * time.Hour), Contact: cases.Party{Name: "周记者", Phone: "13900001234"},
			}
		})
		c := w.open(in)
		if c.CallerPhone != "" || c.ReportDue || c.DocDue != in.Origin.Due {
			t.Errorf("caller %q, report due %t, deadline %s", c.CallerPhone, c.ReportDue, c.DocDue)
		}
		v := w.view(c)
		if v.Origin.ContactPhone != "139****1234" || v.Origin.ContactName == "周记者" {
			t.Errorf("the journalist is shown as %q %q", v.Origin.ContactName, v.Origin.ContactPhone)
		}
		if own, err := w.cases.View(ctx, north, city, c.ID); err != nil || own.Origin.ContactPhone != "" {
			t.Errorf("the company sees %+v, %v", own.Origin, err)
		}
		shown, err := w.cases.Reveal(ctx, seat, act(c))
		if err != nil || shown.Press != in.Origin.Contact {
			t.Errorf("revealed: %+v, %v", shown, err)
		}
		if shown, err := w.cases.Reveal(ctx, north, act(c)); err == nil && shown.Press != (cases.Party{}) {
			t.Errorf("revealed to the company: %+v", shown)
		}
		k := w.clock(c, citypack.ClockEnquiry)
		if k.Due != in.Origin.Due {
			t.Errorf("the press waits until %s, the clock until %s", in.Origin.Due, k.Due)
		}
		c = w.must(w.cases.SendReply(ctx, seat, cases.Replying{Act: act(c), Way: "mail", Text: "我们已安排检修。"}))
		if k := w.clock(c, citypack.ClockEnquiry); k.State != clock.Stopped {
			t.Errorf("answered, but the clock is %s", k.State)
		}
		if v := w.view(c); v.Replies[0].To != "暖城晚报" || v.Replies[0].Kind != cases.PressReply {
			t.Errorf("answered to %+v", v.Replies)
		}
		phone := w.open(cold())
		if _, err := w.cases.SendReply(ctx, seat, cases.Replying{Act: act(phone), Way: "post", Text: "x"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a letter about a call: %v", err)
		}
		for name, bad := range map[string]cases.Replying{
			"no way": {Text: "x"}, "no text": {Way: "post"}, "in the future": {Way: "post", Text: "x", SentAt: w.now.Now().Add(time.Hour)},
			"before": {Way: "post", Text: "x", SentAt: c.ReceivedAt.Add(-time.Hour)}, "no such way": {Way: "pigeon", Text: "x"},
		} {
			bad.Act = cases.Act{City: city, ID: c.ID}
			if _, err := w.cases.SendReply(ctx, seat, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The page and the export say the same: the number and the deadline stand in every row.
func TestPapersInTheExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(w.instruction("暖政批〔2026〕3号"))
		w.open(cold())
		var got []cases.Case
		err := w.cases.Export(ctx, head, city, cases.Filter{Doc: c.DocNo}, func(c cases.Case) error { got = append(got, c); return nil })
		if err != nil || len(got) != 1 || got[0].DocNo != c.DocNo || got[0].DocDue != c.DocDue || got[0].Channel != cases.Leader {
			t.Errorf("exported %+v, %v", got, err)
		}
	})
}
