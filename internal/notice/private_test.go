package notice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

func codeMessage(matter string) notice.Message {
	return notice.Message{
		City: city, Channel: notice.SMS, To: phone, Template: "message.resident.enter", Params: map[string]any{"minutes": 5},
		Private: map[string]string{"code": "314159"}, Matter: matter, QuietExempt: true,
	}
}

// TestPrivateParametersReachOnlyTheRecipient looks for the code everywhere but in the gateway.
func TestPrivateParametersReachOnlyTheRecipient(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		n := w.enqueue(codeMessage("code/1"))
		if strings.Contains(n.Text, "314159") || !strings.Contains(n.Text, notice.Hidden) || strings.Contains(n.Params["code"], "3") {
			t.Errorf("kept text %q and parameters %v", n.Text, n.Params)
		}
		for _, query := range []string{`SELECT private FROM notice WHERE city_id = $1`, `SELECT text FROM notice WHERE city_id = $1`, `SELECT args FROM job WHERE city_id = $1`} {
			for _, s := range column(t, d, query) {
				if strings.Contains(s, "314159") {
					t.Errorf("%s shows the code: %s", query, s)
				}
			}
		}
		w.work()
		sent := w.fake.Sent()
		if len(sent) != 1 || !strings.Contains(sent[0].Text, "314159") || sent[0].Params["code"] != "314159" || strings.Contains(sent[0].Text, notice.Hidden) {
			t.Fatalf("the gateway was given %+v", sent)
		}
		if left := column(t, d, `SELECT private FROM notice WHERE city_id = $1`); left[0] != "" {
			t.Error("the sealed code stays after the gateway took it")
		}
		v, err := w.service.Get(ctx, leader, city, n.ID)
		if err != nil || strings.Contains(v.Text, "314159") || v.State != notice.Sent {
			t.Errorf("staff see %+v %v", v, err)
		}
	})
}

func column(t *testing.T, d *db.DB, query string) []string {
	t.Helper()
	out, err := db.Read(ctx, d, func(tx *db.Tx) ([]string, error) { return db.List[string](ctx, tx, query, city) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNobodyReadsAPrivateMessageOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, false)
		n := w.enqueue(codeMessage("code/1"))
		if n.State != notice.Failed || n.Private != "" {
			t.Fatalf("without a gateway: %s, sealed %q; want failed and nothing kept", n.State, n.Private)
		}
		by := notice.ByHand{City: city, ID: n.ID, Version: n.Version, Reason: "asked"}
		if _, err := w.service.Tell(ctx, leader, by); fault.KindOf(err) != fault.Conflict {
			t.Errorf("staff told it: %v", err)
		}
		if _, err := w.service.Resend(ctx, leader, by); fault.KindOf(err) != fault.Conflict {
			t.Errorf("staff sent it again: %v", err)
		}
	})
}

func TestAMessageIsNotSentAfterItsTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		m := codeMessage("code/1")
		m.Until = d.Now().Add(5 * time.Minute)
		n := w.enqueue(m)
		w.now.Advance(5 * time.Minute)
		w.work()
		v, err := w.service.Get(ctx, leader, city, n.ID)
		if err != nil || v.State != notice.Failed || v.Reason != "notice.reason.too_late" || len(w.fake.Sent()) != 0 {
			t.Errorf("%+v %v, sent %d", v, err, len(w.fake.Sent()))
		}
	})
}

func TestPrivateParametersNeedARecipient(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		m := codeMessage("code/1")
		m.To, m.Channel, m.Role = "", notice.Console, actor.RoleSeat
		err := db.Do(ctx, d, func(tx *db.Tx) error { _, err := w.service.EnqueueIn(ctx, tx, leader, m); return err })
		if err == nil {
			t.Error("a code was shown to staff")
		}
	})
}
