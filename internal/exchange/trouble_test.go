package exchange_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

// TestEveryOutage: the platform takes a message and never answers, answers half, with a page, with an error, or is away.
// Whatever happens, it has each message once and in order in the end.
func TestEveryOutage(t *testing.T) {
	t.Parallel()
	for _, way := range []platformfake.Fault{
		platformfake.Down, platformfake.Busy, platformfake.WrongKey, platformfake.TakenThen5x, platformfake.TakenGone, platformfake.TakenHalf, platformfake.TakenHTML, platformfake.Forgetful,
	} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.SQLite(t))
			ticket, c := w.dispatched()
			w.fake.Fail(way, way, way)
			w.handled(c)
			w.run()
			for range 8 {
				w.now.Advance(10 * time.Minute)
				w.run()
			}
			theirs := w.fakeTicket(exchange.Theirs, ticket.No)
			want := []exchange.Event{exchange.Accept, exchange.Review, exchange.Handle, exchange.Handle, exchange.Handle, exchange.Reply}
			if diff := cmp.Diff(want, events(theirs.Taken)); diff != "" {
				t.Errorf("what the platform has (-want +got):\n%s", diff)
			}
			w.agreed(exchange.Theirs, ticket.No)
			health, err := w.svc.Platforms(ctx, leader, city)
			if err != nil || health[0].Queued+health[0].Refused != 0 || !health[0].FailedAt.IsZero() {
				t.Errorf("the platform is %+v, %v", health[0], err)
			}
		})
	}
}

// TestLowNext: a platform that took a message and names a number long past is not told everything again.
func TestLowNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	_, c := w.dispatched()
	before := w.fake.Asked()
	w.fake.Fail(slices.Repeat([]platformfake.Fault{platformfake.LowNext}, 20)...)
	w.handled(c)
	for range 4 {
		w.run()
		w.now.Advance(10 * time.Minute)
	}
	if n := w.fake.Asked() - before; n != 4 {
		t.Errorf("it was handed %d messages, want the four that were said", n)
	}
}

// TestStuckPlatform: one that misses the first message for ever is asked less and less often, not round and round.
func TestStuckPlatform(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, c := w.dispatched()
		w.fake.Fail(slices.Repeat([]platformfake.Fault{platformfake.Stuck}, 2000)...)
		before := w.fake.Asked()
		w.handled(c)
		for range 30 {
			w.run()
			w.now.Advance(time.Minute)
		}
		if n := w.fake.Asked() - before; n > 150 {
			t.Errorf("in half an hour it was handed %d messages", n)
		}
		w.fake.Heal()
		for range 12 {
			w.now.Advance(time.Hour)
			w.run()
		}
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// TestSwitchedOff: what is said to a platform that is switched off waits, and no job is made for it; switched on, it goes.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, c := w.dispatched()
		p := w.platform()
		w.save(p, false)
		w.handled(c)
		w.run()
		before := w.sendings()
		for range 5 {
			w.now.Advance(10 * time.Minute)
			w.run()
		}
		if after := w.sendings(); after != before {
			t.Errorf("%d jobs were made for a platform that is switched off", after-before)
		}
		w.save(w.platform(), true)
		for range 2 {
			w.now.Advance(10 * time.Minute)
			w.run()
		}
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// TestRefusedMessage waits for staff with the platform's own words; those behind it wait too, until it is sent again or
// taken back.
func TestRefusedMessage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, _ := w.dispatched()
		w.fake.Fail(platformfake.Refuse)
		for _, said := range []string{"一", "二"} {
			if _, err := w.svc.Say(ctx, sender, exchange.Saying{City: city, Ticket: ticket.ID, Event: exchange.Note, Text: said}); err != nil {
				t.Fatal(err)
			}
		}
		w.run()
		w.now.Advance(time.Hour)
		w.run()
		held, err := w.svc.Queue(ctx, leader, city, code, exchange.Rejected)
		if err != nil || len(held) != 1 || !strings.Contains(held[0].Error, "does not take it so") {
			t.Fatalf("refused: %+v, %v", held, err)
		}
		if n := len(w.fakeTicket(exchange.Theirs, ticket.No).Taken); n != 2 {
			t.Errorf("the platform has %d messages: one went past the refused one", n)
		}
		if _, err := w.svc.Drop(ctx, leader, exchange.Deciding{City: city, Message: held[0].ID}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("taken back without a reason: %v", err)
		}
		if _, err := w.svc.Drop(ctx, sender, exchange.Deciding{City: city, Message: held[0].ID, Reason: "x"}); fault.KindOf(err) != fault.Denied {
			t.Errorf("a dispatcher took it back: %v", err)
		}
		if _, err := w.svc.Drop(ctx, leader, exchange.Deciding{City: city, Message: held[0].ID, Reason: "写错工单"}); err != nil {
			t.Fatal(err)
		}
		w.run()
		got := events(w.fakeTicket(exchange.Theirs, ticket.No).Taken)
		if diff := cmp.Diff([]exchange.Event{exchange.Accept, exchange.Review, exchange.Skip, exchange.Note}, got); diff != "" {
			t.Errorf("what the platform has (-want +got):\n%s", diff)
		}
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// TestShuffledAndRepeated: messages that come in any order and several times each make what they make in order, once.
func TestShuffledAndRepeated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for seed := range uint64(5) {
			w := newWorldNamed(t, d, fmt.Sprintf("p%d", seed))
			no := w.fake.Open(w.details())
			for i := range 6 {
				w.fake.Say(exchange.Theirs, no, exchange.Message{Event: exchange.Note, Text: fmt.Sprintf("第%d句", i)})
			}
			all := w.fakeTicket(exchange.Theirs, no).Said
			all = append(all, all...)
			r := rand.New(rand.NewPCG(seed, 1))
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, m := range all {
				if _, err := w.fake.Send(ctx, m); err != nil {
					t.Fatalf("seed %d, number %d: %v", seed, m.Seq, err)
				}
			}
			v := w.ticket(no)
			if v.Taken != 7 || !v.GapSince.IsZero() {
				t.Errorf("seed %d: %d taken, gap since %v", seed, v.Taken, v.GapSince)
			}
			var notes []string
			for _, e := range v.Messages {
				if e.Way == exchange.In && e.Event == exchange.Note && e.State == exchange.TakenIn {
					notes = append(notes, e.Note)
				}
			}
			if len(notes) != 6 {
				t.Errorf("seed %d: %d words, want 6", seed, len(notes))
			}
			found, err := w.cases.List(ctx, leader, city, cases.Filter{Query: no})
			if err != nil || len(found.Items) != 1 {
				t.Errorf("seed %d: %d cases, %v", seed, len(found.Items), err)
			}
		}
	})
}

// TestMissingMessage: one that never came is asked for once the platform's minutes have passed.
func TestMissingMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	no := w.fake.Open(w.details())
	third := w.fake.Say(exchange.Theirs, no, exchange.Message{Event: exchange.Note, Text: "三楼"})
	last := w.fake.Say(exchange.Theirs, no, exchange.Message{Event: exchange.Note, Text: "请尽快"})
	for _, m := range []exchange.Message{last, third} {
		if r, err := w.fake.Send(ctx, m); err != nil || r.Result != exchange.Waits || r.Next != 1 {
			t.Fatalf("out of turn: %+v, %v", r, err)
		}
	}
	w.run()
	if v := w.ticket(no); v.Taken != 0 || v.GapSince.IsZero() {
		t.Fatalf("%d taken, gap since %v", v.Taken, v.GapSince)
	}
	w.now.Advance(6 * time.Minute)
	w.run()
	v := w.ticket(no)
	if v.Taken != 3 || v.Case == "" || !v.GapSince.IsZero() || v.Attention != "" {
		t.Errorf("after asking: %d taken, case %q, gap since %v, %q", v.Taken, v.Case, v.GapSince, v.Attention)
	}
}

// TestRefusesByField: what the contract does not allow is refused with the name of the field, and nothing is kept.
func TestRefusesByField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	ticket, _ := w.dispatched()
	good := exchange.Message{Ticket: "N-1", OpenedBy: exchange.Theirs, Seq: 1, Event: exchange.Dispatch, At: w.now.Now()}
	dispatch := func(edit func(*exchange.Message, *exchange.Details)) exchange.Message {
		m, d := good, w.details()
		edit(&m, &d)
		m.Details = &d
		return m
	}
	next := func(edit func(*exchange.Message)) exchange.Message {
		m := exchange.Message{Ticket: ticket.No, OpenedBy: exchange.Theirs, Seq: 2, Event: exchange.Note, Text: "x", At: w.now.Now()}
		edit(&m)
		return m
	}
	for name, c := range map[string]struct {
		m     exchange.Message
		field string
	}{
		"number":        {dispatch(func(m *exchange.Message, _ *exchange.Details) { m.Ticket = "a b\n" }), "ticket"},
		"side":          {dispatch(func(m *exchange.Message, _ *exchange.Details) { m.OpenedBy = "moon" }), "opened_by"},
		"zero":          {dispatch(func(m *exchange.Message, _ *exchange.Details) { m.Seq = 0 }), "seq"},
		"unknown event": {dispatch(func(m *exchange.Message, _ *exchange.Details) { m.Event = "sing" }), "event"},
		"future":        {dispatch(func(m *exchange.Message, _ *exchange.Details) { m.At = w.now.Now().Add(time.Hour) }), "at"},
		"no text":       {dispatch(func(_ *exchange.Message, d *exchange.Details) { d.Text = " " }), "details.text"},
		"nature":        {dispatch(func(_ *exchange.Message, d *exchange.Details) { d.Nature = "闲聊" }), "details.nature"},
		"phone":         {dispatch(func(_ *exchange.Message, d *exchange.Details) { d.Caller.Phone = "abc" }), "details.caller.phone"},
		"long ago":      {dispatch(func(_ *exchange.Message, d *exchange.Details) { d.ReceivedAt = clockAt(2020, 1, 1, 8) }), "details.received_at"},
		"hash": {next(func(m *exchange.Message) {
			m.Attachments = []exchange.Attachment{{Name: "a.jpg", MediaType: "image/jpeg", Size: 1, SHA256: "zz"}}
		}), "attachments.0.sha256"},
		"not theirs": {next(func(m *exchange.Message) { m.Event = exchange.Reply }), "event"},
		"not now":    {next(func(m *exchange.Message) { m.Event = exchange.Close }), "event"},
		"second dispatch": {func() exchange.Message {
			d := w.details()
			return next(func(m *exchange.Message) { m.Event, m.Details = exchange.Dispatch, &d })
		}(), "event"},
		"no request":     {next(func(m *exchange.Message) { m.Event, m.Answers = exchange.GrantExtension, 7 }), "answers"},
		"nothing asked":  {next(func(m *exchange.Message) { m.Event = exchange.GrantExtension }), "answers"},
		"reached":        {next(func(m *exchange.Message) { m.Event = exchange.CallBack }), "reached"},
		"our number":     {next(func(m *exchange.Message) { m.OpenedBy, m.Ticket = exchange.Ours, "X-9" }), "ticket"},
		"not dispatched": {func() exchange.Message { m := good; m.Event, m.Text = exchange.Note, "x"; return m }(), "event"},
	} {
		_, err := w.fake.Send(ctx, c.m)
		if err == nil || !strings.Contains(err.Error(), "422") || !strings.Contains(err.Error(), c.field+" ") && !strings.Contains(err.Error(), c.field+":") && !strings.Contains(err.Error(), "["+c.field) {
			t.Errorf("%s: %v, want field %s", name, err, c.field)
		}
	}
	if v := w.ticket(ticket.No); v.Taken != 1 {
		t.Errorf("%d messages were taken", v.Taken)
	}
	if list, err := w.svc.List(ctx, leader, city, exchange.Filter{Query: "N-1"}); err != nil || len(list.Items) != 0 {
		t.Errorf("a refused dispatch left %d tickets, %v", len(list.Items), err)
	}
}

// TestOtherContent: a number that says something else the second time is refused, and what was taken stays.
func TestOtherContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	ticket, _ := w.dispatched()
	m := w.fakeTicket(exchange.Theirs, ticket.No).Said[0]
	if r, err := w.fake.Send(ctx, m); err != nil || r.Result != exchange.Known {
		t.Errorf("the same again: %+v, %v", r, err)
	}
	d := *m.Details
	d.Text = "改了"
	m.Details = &d
	if _, err := w.fake.Send(ctx, m); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("another content under the same number: %v", err)
	}
}

// TestForgedAndReplayed: without the secret, with an old time, or twice with one nonce nothing is taken.
func TestForgedAndReplayed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := exchange.Message{Ticket: "N-1", OpenedBy: exchange.Theirs, Seq: 1, Event: exchange.Dispatch, At: w.now.Now()}
		det := w.details()
		m.Details = &det
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		good := notice.Signer{Account: "rehu", Secret: key, Machine: time.Now}
		wrong := notice.Signer{Account: "rehu", Secret: "guess-guess-guess", Machine: time.Now}
		old := notice.Signer{Account: "rehu", Secret: key, Machine: func() time.Time { return time.Now().Add(-time.Hour) }}
		for name, s := range map[string]notice.Signer{"guessed": wrong, "old": old} {
			if _, err := w.svc.Take(ctx, city, code, s.Sign("/x/messages", body)); fault.KindOf(err) != fault.Denied {
				t.Errorf("%s: %v", name, err)
			}
		}
		in := good.Sign("/x/messages", body)
		if _, err := w.svc.Take(ctx, city, "nobody", in); fault.KindOf(err) != fault.Denied {
			t.Errorf("a platform that there is not: %v", err)
		}
		if _, err := w.svc.Take(ctx, city, code, in); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Take(ctx, city, code, in); fault.KindOf(err) != fault.Denied || fault.Of(err).Key != "exchange.replayed" {
			t.Errorf("replayed: %v", err)
		}
		for _, why := range []string{`why="signature, account or time"`, `why="no such platform"`, "why=replayed"} {
			if !strings.Contains(w.log.String(), why) {
				t.Errorf("the log has no line with %s:\n%s", why, w.log.String())
			}
		}
	})
}

// TestSameTicketAtOnce: a platform that sends one dispatch from many hands makes one case.
func TestSameTicketAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		no := w.fake.Open(w.details())
		m := w.fakeTicket(exchange.Theirs, no).Said[0]
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := w.fake.Send(ctx, m); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		found, err := w.cases.List(ctx, leader, city, cases.Filter{Query: no})
		if err != nil || len(found.Items) != 1 {
			t.Errorf("%d cases, %v", len(found.Items), err)
		}
		w.run()
		w.fake.Flush(ctx)
		w.agreed(exchange.Theirs, no)
	})
}

// TestLists: what one side lost shows in the list of the day and is mended by one act.
func TestLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		whole, _ := w.dispatched()
		missed := w.fake.Open(w.details(func(d *exchange.Details) { d.Caller.Phone = "13803510077" })) // never sent
		o, err := w.svc.HandOver(ctx, sender, exchange.Handing{City: city, Case: whole.Case, Platform: code, Text: "另附"})
		if err != nil {
			t.Fatal(err)
		}
		w.run()
		w.fake.Forget(exchange.Ours, o.No)
		behind := w.fake.Say(exchange.Theirs, whole.No, exchange.Message{Event: exchange.Note, Text: "还有一句"})
		today := w.now.Now().Date()
		day, err := w.svc.Look(ctx, leader, city, code, today)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]exchange.DifferenceKind{}
		for _, x := range day.Differences {
			kinds[string(x.OpenedBy)+" "+x.No] = x.Kind
		}
		want := map[string]exchange.DifferenceKind{
			"platform " + missed: exchange.MissingHere, "centre " + o.No: exchange.MissingThere, "platform " + whole.No: exchange.OtherState,
		}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Fatalf("differences (-want +got):\n%s", diff)
		}
		if _, err := w.svc.Repair(ctx, sender, exchange.Repairing{City: city, Platform: code, Day: today, OpenedBy: exchange.Theirs, No: missed}); fault.KindOf(err) != fault.Denied {
			t.Errorf("a dispatcher repairs: %v", err)
		}
		for _, x := range day.Differences {
			if _, err := w.svc.Repair(ctx, leader, exchange.Repairing{City: city, Platform: code, Day: today, OpenedBy: x.OpenedBy, No: x.No}); err != nil {
				t.Fatal(err)
			}
		}
		w.run()
		w.now.Advance(11 * time.Minute)
		w.run()
		day, err = w.svc.Look(ctx, leader, city, code, today)
		if err != nil || day.Differing != 0 {
			t.Errorf("after the repair %d differ, %v: %+v", day.Differing, err, day.Differences)
		}
		if v := w.ticket(whole.No); v.Taken != behind.Seq {
			t.Errorf("%d taken, want %d", v.Taken, behind.Seq)
		}
		for _, no := range []string{missed, whole.No} {
			w.agreed(exchange.Theirs, no)
		}
		w.agreed(exchange.Ours, o.No)
		theirs, err := w.fake.Ledger(ctx, today)
		if err != nil || len(theirs.Tickets) != 3 {
			t.Errorf("our list has %d tickets, %v", len(theirs.Tickets), err)
		}
	})
}
