package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// pair is one city lived twice: every act goes through the door as JSON in one, and straight to the service in the other.
// Both must come out the same.
type pair struct {
	t           *testing.T
	door, plain *house
	ids         [2]string // of the case at hand
	done        map[string]bool
}

func newPair(t *testing.T) *pair {
	t.Helper()
	return &pair{t: t, door: newHouse(t), plain: newHouse(t), done: map[string]bool{}}
}

// later moves both clocks on.
func (p *pair) later(d time.Duration) {
	p.door.clock.Advance(d)
	p.plain.clock.Advance(d)
}

func keyOf(h *house, name string) string {
	switch name {
	case "C1", "C2":
		return h.key(name, grant(actor.RoleCompany, name))
	}
	return h.key(name, grant(actor.Role(name)))
}

// actorOf is who stands behind a key.
func actorOf(h *house, name string) actor.Actor {
	h.t.Helper()
	who, ok, err := h.app.Staff.AuthenticateKey(ctx, keyOf(h, name))
	if err != nil || !ok {
		h.t.Fatal(ok, err)
	}
	return who.Actor
}

// open takes a matter in on both sides.
func (p *pair) open(who string, edits ...func(*cases.Opening)) {
	p.t.Helper()
	p.later(time.Second)
	in := cold(append(edits, func(in *cases.Opening) { in.Door = citypack.DoorAPI })...)
	r := p.door.post(keyOf(p.door, who), v1+"/cases", in).want(http.StatusCreated)
	got := into[cases.Opened](r)
	want, err := p.plain.app.Cases.Open(ctx, actorOf(p.plain, who), in)
	if err != nil {
		p.t.Fatal(err)
	}
	p.same("open", got.Case, want.Case)
	p.ids = [2]string{got.Case.ID, want.Case.ID}
}

func (p *pair) now(side int) cases.Case {
	p.t.Helper()
	h := []*house{p.door, p.plain}[side]
	c, err := h.app.Cases.Get(ctx, h.root, city, p.ids[side])
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// do does one act on both sides and compares what comes back, a fault included.
func do[In any](p *pair, who, name string, in In, of func(in *In) *cases.Act, use func(a *app.App) func(context.Context, actor.Actor, In) (cases.Case, error)) {
	p.t.Helper()
	p.later(time.Second)
	p.done[name] = true
	act := of(&in)
	act.Version = p.now(0).Version
	r := p.door.post(keyOf(p.door, who), v1+"/cases/"+p.ids[0]+"/"+name, in)
	act.City, act.ID, act.Version = city, p.ids[1], p.now(1).Version
	want, err := use(p.plain.app)(ctx, actorOf(p.plain, who), in)
	if err != nil {
		if got := into[httpx.Problem](r); got.Key != fault.Of(err).Key {
			p.t.Errorf("%s: the door says %s, the service %v", name, r.body, err)
		}
		p.t.Errorf("%s by %s: %v %+v", name, who, err, fault.Of(err).Fields)
		return
	}
	p.same(name, into[cases.Case](r.want(http.StatusOK)), want)
}

// same compares two cases but for what is made by chance.
func (p *pair) same(what string, got, want cases.Case) {
	p.t.Helper()
	if diff := cmp.Diff(plainly(p.t, want), plainly(p.t, got)); diff != "" {
		p.t.Errorf("%s: service and door differ (-service +door):\n%s", what, diff)
	}
}

func plainly(t *testing.T, c cases.Case) map[string]any {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, chance := range []string{"id", "community", "dispatch", "worker"} {
		delete(m, chance)
	}
	return m
}

// use finds a use case in an installation.
type use[In any] = func(a *app.App) func(context.Context, actor.Actor, In) (cases.Case, error)

func (p *pair) plainly(who, name, reason string, u use[cases.Act]) {
	p.t.Helper()
	do(p, who, name, cases.Act{Reason: reason}, func(in *cases.Act) *cases.Act { return in }, u)
}

// request is the newest undecided request on each side.
func (p *pair) request(kind dispatch.RequestKind) [2]string {
	p.t.Helper()
	var out [2]string
	for side, h := range []*house{p.door, p.plain} {
		v, err := h.app.Dispatch.Of(ctx, h.root, city, p.ids[side])
		if err != nil {
			p.t.Fatal(err)
		}
		for _, q := range v.Requests {
			if q.Kind == kind && (q.State == dispatch.Open || q.State == dispatch.Replied) {
				out[side] = q.ID
			}
		}
	}
	return out
}

// about is do for acts on a request, whose id differs on the two sides.
func about[In any](p *pair, who, name string, kind dispatch.RequestKind, in In, of func(in *In) *cases.Act, request func(in *In) *string, u use[In]) {
	p.t.Helper()
	ids := p.request(kind)
	*request(&in) = ids[0]
	do(p, who, name, in, of, func(a *app.App) func(context.Context, actor.Actor, In) (cases.Case, error) {
		fn := u(a)
		return func(ctx context.Context, by actor.Actor, in In) (cases.Case, error) {
			*request(&in) = ids[1]
			return fn(ctx, by, in)
		}
	})
}

var feedback = map[string]string{
	"contact": "用户在家", "temp_before": "15.2", "temp_after": "19.1", "rooms": "客厅、卧室", "truth": "true", "cause": "air",
	"segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排气，室温回升。",
}

func (p *pair) feedBack() {
	p.t.Helper()
	form := maps.Clone(feedback)
	form["arrived_at"] = p.door.clock.Now().String()
	do(p, "C1", "feed_back", dispatch.Feedback{Form: form}, func(in *dispatch.Feedback) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Feedback) (cases.Case, error) {
			return a.Dispatch.FeedBack
		})
}

func (p *pair) sign() {
	p.t.Helper()
	do(p, "C1", "sign", dispatch.Signing{OrderNo: "D-1"}, func(in *dispatch.Signing) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Signing) (cases.Case, error) {
			return a.Dispatch.Sign
		})
}

func (p *pair) file() {
	p.t.Helper()
	do(p, "dispatcher", "file", cases.Filing{}, func(in *cases.Filing) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Filing) (cases.Case, error) {
			return a.Cases.File
		})
}

func (p *pair) arrive() {
	p.t.Helper()
	warm := celsius.Tenths(152)
	do(p, "C1", "arrive", dispatch.Visit{Result: "met", Temperature: &warm}, func(in *dispatch.Visit) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Visit) (cases.Case, error) {
			return a.Dispatch.Arrive
		})
}

func (p *pair) verify(passed bool) {
	p.t.Helper()
	do(p, "verifier", "verify", cases.Verification{Passed: passed, Mode: "on_site", Note: "已看"}, func(in *cases.Verification) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Verification) (cases.Case, error) {
			return a.Cases.Verify
		})
}

func (p *pair) send(who, name, company, reason string, u use[dispatch.Sending]) {
	p.t.Helper()
	do(p, who, name, dispatch.Sending{Act: cases.Act{Reason: reason}, Company: company}, func(in *dispatch.Sending) *cases.Act { return &in.Act }, u)
}

func answering(in *cases.Answering) *cases.Act { return &in.Act }

type (
	byAct    = func(context.Context, actor.Actor, cases.Act) (cases.Case, error)
	bySend   = func(context.Context, actor.Actor, dispatch.Sending) (cases.Case, error)
	byAnswer = func(context.Context, actor.Actor, cases.Answering) (cases.Case, error)
)

func (p *pair) callBack() {
	p.t.Helper()
	do(p, "seat", "call_back", cases.Call{Reached: true, Solved: "yes", Satisfied: "yes", Channel: "phone"}, func(in *cases.Call) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Call) (cases.Case, error) {
			return a.Cases.CallBack
		})
}

// TestDoorAndServiceAgree lives the lives of cases twice, as JSON and as calls, until every act on a case was done.
func TestDoorAndServiceAgree(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.wholeLife()
	p.handedToAndFro()
	p.askedAndDecided()
	p.shortLives()
	p.instructed()
	var missing []string
	for _, o := range p.door.doors.Operations() {
		name, ok := strings.CutPrefix(o.Path, "/cities/{city}/cases/{case}/")
		if ok && o.Method == http.MethodPost && !p.done[name] && name != "reveal" && name != "photos" {
			missing = append(missing, name)
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("never done: %v", missing)
	}
}

// instructed is a case behind which a leader's instruction stands: it is reported before it ends.
func (p *pair) instructed() {
	p.t.Helper()
	now := p.door.clock.Now()
	p.open("seat", func(in *cases.Opening) {
		in.Channel, in.Hold = cases.Leader, true
		in.Origin = cases.Origin{
			No: "暖政批〔2026〕3号", Dated: now.Date(), From: "分管副市长", Office: "市政府督查室", Text: "请尽快解决", Due: now.Add(72 * time.Hour),
		}
	})
	if c := p.now(0); !c.ReportDue || c.DocNo != "暖政批〔2026〕3号" || c.DocDue != now.Add(72*time.Hour) {
		p.t.Errorf("opened through the API: report due %t, %q by %s", c.ReportDue, c.DocNo, c.DocDue)
	}
	act := cases.Answering{Answer: "已办", Act: cases.Act{Version: p.now(0).Version}}
	r := p.door.post(keyOf(p.door, "dispatcher"), v1+"/cases/"+p.ids[0]+"/answer", act).want(http.StatusConflict)
	if got := into[httpx.Problem](r); got.Key != "case.origin.report_first" || !strings.Contains(r.body, "市政府督查室") {
		p.t.Errorf("ended without a report: %s", r.body)
	}
	do(p, "seat", "send_reply", cases.Replying{No: "暖热报〔2026〕5号", Signer: "李主任", Way: "official", Text: "已办结"}, func(in *cases.Replying) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Replying) (cases.Case, error) {
			return a.Cases.SendReply
		})
	do(p, "dispatcher", "answer", cases.Answering{Answer: "已办"}, answering, func(a *app.App) byAnswer { return a.Cases.AnswerDirect })
}

// wholeLife goes from the report to the archive, over a failed verification and a reopening.
func (p *pair) wholeLife() {
	p.open("seat", func(in *cases.Opening) { in.Hold = true })
	p.plainly("seat", "accept", "", func(a *app.App) byAct { return a.Cases.Accept })
	p.plainly("seat", "ask_confirm", "看一下", func(a *app.App) byAct { return a.Cases.AskConfirm })
	p.plainly("verifier", "confirm", "", func(a *app.App) byAct { return a.Cases.Confirm })
	p.file()
	p.sign()
	p.plainly("C1", "take", "", func(a *app.App) byAct { return a.Dispatch.Take })
	do(p, "C1", "contact", dispatch.Contacting{Result: "connected"}, func(in *dispatch.Contacting) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Contacting) (cases.Case, error) {
			return a.Dispatch.Contact
		})
	do(p, "C1", "assign", dispatch.Assigning{Station: "S1", Crew: "二班"}, func(in *dispatch.Assigning) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Assigning) (cases.Case, error) {
			return a.Dispatch.Assign
		})
	from := p.door.clock.Now().Add(time.Hour)
	do(p, "C1", "appoint", dispatch.Appointment{From: from, To: from.Add(time.Hour), Recording: "r1"}, func(in *dispatch.Appointment) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Appointment) (cases.Case, error) {
			return a.Dispatch.Appoint
		})
	p.arrive()
	p.feedBack()
	p.verify(false)
	p.feedBack()
	p.verify(true)
	p.callBack()
	do(p, "dispatcher", "close", cases.Answering{Answer: "已解决"}, answering, func(a *app.App) byAnswer { return a.Cases.Close })
	do(p, "seat", "reopen", cases.Reopening{Channel: cases.Phone, Text: "又冷了"}, func(in *cases.Reopening) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Reopening) (cases.Case, error) {
			return a.Cases.Reopen
		})
	p.sign()
	p.feedBack()
	p.verify(true)
	p.plainly("dispatcher", "send_back", "室温没有复测", func(a *app.App) byAct { return a.Cases.SendBack })
	p.feedBack()
	p.verify(true)
	p.callBack()
	do(p, "dispatcher", "close", cases.Answering{Answer: "已解决"}, answering, func(a *app.App) byAnswer { return a.Cases.Close })
	p.plainly("leader", "archive", "", func(a *app.App) byAct { return a.Cases.Archive })
}

// handedToAndFro goes between two companies until the shift leader decides.
func (p *pair) handedToAndFro() {
	p.open("seat")
	returning := func(who, right string) {
		do(p, who, "return", dispatch.Returning{Act: cases.Act{Reason: "这栋楼不归我们"}, Right: right}, func(in *dispatch.Returning) *cases.Act { return &in.Act },
			func(a *app.App) func(context.Context, actor.Actor, dispatch.Returning) (cases.Case, error) {
				return a.Dispatch.Return
			})
	}
	returning("C1", "C2")
	do(p, "dispatcher", "answer_return", dispatch.ReturnAnswer{Accept: true}, func(in *dispatch.ReturnAnswer) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.ReturnAnswer) (cases.Case, error) {
			return a.Dispatch.AnswerReturn
		})
	returning("C2", "C1")
	p.send("leader", "designate", "C1", "先保暖", func(a *app.App) bySend { return a.Dispatch.Designate })
	do(p, "dispatcher", "duty_call", dispatch.DutyCall{Name: "值班", Phone: "0990-1111111", Answered: true}, func(in *dispatch.DutyCall) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.DutyCall) (cases.Case, error) {
			return a.Dispatch.LogDutyCall
		})
	do(p, "dispatcher", "sign_for", dispatch.Signing{Recording: "r2", Answered: "值班"}, func(in *dispatch.Signing) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Signing) (cases.Case, error) {
			return a.Dispatch.SignFor
		})
	assisting := func(in *dispatch.Assisting) *cases.Act { return &in.Act }
	do(p, "dispatcher", "add_assist", dispatch.Assisting{Act: cases.Act{Reason: "共用热力站"}, Company: "C2"}, assisting,
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Assisting) (cases.Case, error) {
			return a.Dispatch.AddAssist
		})
	do(p, "dispatcher", "end_assist", dispatch.Assisting{Act: cases.Act{Reason: "共用热力站"}, Company: "C2"}, assisting,
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Assisting) (cases.Case, error) {
			return a.Dispatch.EndAssist
		})
	do(p, "dispatcher", "dispute", dispatch.Disputing{Act: cases.Act{Reason: "庭院管网产权"}, Party: "物业"}, func(in *dispatch.Disputing) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Disputing) (cases.Case, error) {
			return a.Dispatch.Dispute
		})
	p.plainly("leader", "terminate", "用户搬走", func(a *app.App) byAct { return a.Cases.Terminate })

	p.open("seat", func(in *cases.Opening) { in.Hold, in.Address = true, "说不清在哪里" })
	p.plainly("seat", "accept", "", func(a *app.App) byAct { return a.Cases.Accept })
	p.file()
	p.send("dispatcher", "dispatch", "C1", "电话问明", func(a *app.App) bySend { return a.Dispatch.Dispatch })
	p.send("dispatcher", "redispatch", "C2", "改由二热", func(a *app.App) bySend { return a.Dispatch.Redispatch })
}

// askedAndDecided asks for time, is supervised, answers and appeals.
func (p *pair) askedAndDecided() {
	p.open("seat")
	p.sign()
	p.plainly("C1", "take", "", func(a *app.App) byAct { return a.Dispatch.Take })
	asking := func(kind dispatch.RequestKind, days int) {
		do(p, "C1", "ask", dispatch.Asking{Act: cases.Act{Reason: "等备件"}, Kind: kind, Until: p.door.clock.Now().Add(time.Duration(days) * 24 * time.Hour)},
			func(in *dispatch.Asking) *cases.Act { return &in.Act },
			func(a *app.App) func(context.Context, actor.Actor, dispatch.Asking) (cases.Case, error) {
				return a.Dispatch.AskMore
			})
	}
	decide := func(who string, kind dispatch.RequestKind) {
		about(p, who, "decide", kind, dispatch.Decision{Act: cases.Act{Reason: "情况属实"}, Grant: true}, func(in *dispatch.Decision) *cases.Act { return &in.Act },
			func(in *dispatch.Decision) *string { return &in.Request },
			func(a *app.App) func(context.Context, actor.Actor, dispatch.Decision) (cases.Case, error) {
				return a.Dispatch.Decide
			})
	}
	asking(dispatch.AskExtension, 3)
	decide("leader", dispatch.AskExtension)
	asking(dispatch.AskPostpone, 20)
	decide("section_head", dispatch.AskPostpone)
	p.plainly("leader", "resume", "备件已到", func(a *app.App) byAct { return a.Dispatch.Resume })
	do(p, "seat", "remind", cases.Reminder{Channel: cases.Phone, Text: "还没来人"}, func(in *cases.Reminder) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Reminder) (cases.Case, error) {
			return a.Cases.Remind
		})
	do(p, "leader", "supervise", dispatch.Ordering{Act: cases.Act{Reason: "反复催办"}, ReplyBy: p.door.clock.Now().Add(24 * time.Hour)}, func(in *dispatch.Ordering) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Ordering) (cases.Case, error) {
			return a.Dispatch.Supervise
		})
	about(p, "C1", "reply", dispatch.Supervision, dispatch.Replying{Act: cases.Act{Reason: "今日完成"}}, func(in *dispatch.Replying) *cases.Act { return &in.Act },
		func(in *dispatch.Replying) *string { return &in.Request },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Replying) (cases.Case, error) {
			return a.Dispatch.Reply
		})
	p.feedBack()
	p.verify(false)
	do(p, "C1", "appeal", dispatch.Appealing{Act: cases.Act{Reason: "用户自改管道"}, Ref: "rework"}, func(in *dispatch.Appealing) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, dispatch.Appealing) (cases.Case, error) {
			return a.Dispatch.Appeal
		})
	decide("section_head", dispatch.AskAppeal)
}

// shortLives end before a company has them.
func (p *pair) shortLives() {
	held := func(in *cases.Opening) { in.Hold = true }
	p.open("seat", held)
	room := "602"
	do(p, "seat", "amend", cases.Amendment{Room: &room}, func(in *cases.Amendment) *cases.Act { return &in.Act },
		func(a *app.App) func(context.Context, actor.Actor, cases.Amendment) (cases.Case, error) {
			return a.Cases.Amend
		})
	first := p.ids
	p.plainly("seat", "reject", "不属于供热", func(a *app.App) byAct { return a.Cases.Reject })
	p.open("seat", held)
	do(p, "seat", "answer", cases.Answering{Answer: "11月15日开始供暖"}, answering, func(a *app.App) byAnswer { return a.Cases.AnswerDirect })
	p.open("seat", held)
	p.plainly("seat", "withdraw", "自己修好了", func(a *app.App) byAct { return a.Cases.Withdraw })
	p.open("seat", held)
	p.plainly("leader", "void", "重复登记", func(a *app.App) byAct { return a.Cases.Cancel })
	p.open("seat", held)
	p.plainly("seat", "accept", "", func(a *app.App) byAct { return a.Cases.Accept })
	p.linked(first)
	p.plainly("seat", "ask_confirm", "看一下", func(a *app.App) byAct { return a.Cases.AskConfirm })
	p.plainly("verifier", "refute", "现场正常", func(a *app.App) byAct { return a.Cases.Refute })
	p.open("leader", func(in *cases.Opening) { in.About.Org = "C1" })
	do(p, "leader", "redress", cases.Answering{Answer: "已批评教育"}, answering, func(a *app.App) byAnswer { return a.Cases.Redress })
}

// linked links the case at hand to another and undoes it; ids differ on the two sides.
func (p *pair) linked(other [2]string) {
	p.t.Helper()
	p.done["link"], p.done["unlink"] = true, true
	key := keyOf(p.door, "seat")
	c := into[cases.Case](p.door.post(key, v1+"/cases/"+p.ids[0]+"/link", map[string]any{"others": []string{other[0]}, "kind": "related"}).want(200))
	d, err := p.plain.app.Cases.LinkCases(ctx, actorOf(p.plain, "seat"), cases.Linking{Act: cases.Act{City: city, ID: p.ids[1]}, Others: []string{other[1]}, Kind: cases.Related})
	if err != nil {
		p.t.Fatal(err)
	}
	p.same("link", c, d)
	view, err := p.door.app.Cases.View(ctx, p.door.root, city, p.ids[0])
	if err != nil || len(view.Links) != 1 {
		p.t.Fatal(view.Links, err)
	}
	plain, err := p.plain.app.Cases.View(ctx, p.plain.root, city, p.ids[1])
	if err != nil {
		p.t.Fatal(err)
	}
	c = into[cases.Case](p.door.post(key, v1+"/cases/"+p.ids[0]+"/unlink", map[string]any{"link": view.Links[0].ID, "reason": "不是一回事"}).want(200))
	d, err = p.plain.app.Cases.Unlink(ctx, actorOf(p.plain, "seat"), cases.Act{City: city, ID: p.ids[1], Reason: "不是一回事"}, plain.Links[0].ID)
	if err != nil {
		p.t.Fatal(err)
	}
	p.same("unlink", c, d)
}
