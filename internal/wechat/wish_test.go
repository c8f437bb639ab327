package wechat_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/notice"
)

// reaches reports whether a message can go by WeChat to the holder of a telephone.
func (w *world) reaches(number string) bool {
	w.t.Helper()
	person := w.person(number)
	return must(db.Read(ctx, w.d, func(tx *db.Tx) (bool, error) { return w.service.Reach(ctx, tx, city, person, officialTemplate) }))
}

const officialTemplate = "notice.expired"

// Whoever writes 退订 or leaves the account gets text messages from then on; 恢复 and following again bring WeChat back.
func TestWhoWantsNoMessagesByWeChat(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		must(w.Follow(ctx, officialID, wang))
		w.bind(wang, phone)
		if !w.reaches(phone) {
			t.Fatal("a bound follower cannot be told by WeChat")
		}
		for _, word := range []string{"退订", "TD", " td。"} {
			w.says(wang, word, "短信")
			if w.reaches(phone) {
				t.Errorf("after %q messages still go by WeChat", word)
			}
			w.says(wang, "恢复", "可以用微信")
			if !w.reaches(phone) {
				t.Errorf("after 恢复 messages still go by text message")
			}
		}
		refusal := func() notice.Scope {
			person := w.person(phone)
			return must(db.Read(ctx, d, func(tx *db.Tx) (notice.Refusal, error) { return w.notices.RefusalOf(ctx, tx, city, person) })).Scope
		}
		if got := refusal(); got != "" {
			t.Errorf("退订 in WeChat refuses text messages too: %s", got)
		}
		w.says(wang, "全部退订", "漏水")
		if got := refusal(); got != notice.Everything || w.reaches(phone) {
			t.Errorf("after 全部退订: %q", got)
		}
		w.says(wang, "恢复", "可以用微信")
		if got := refusal(); got != "" || !w.reaches(phone) {
			t.Errorf("恢复 does not take 全部退订 back: %q", got)
		}
		must(db.Write(ctx, d, func(tx *db.Tx) (bool, error) {
			return true, w.notices.RefuseIn(ctx, tx, leader, notice.Refusal{City: city, Person: w.person(phone), Scope: notice.Bulletins, Door: "sms"})
		}))
		w.says(wang, "恢复", "可以用微信")
		if got := refusal(); got != notice.Bulletins {
			t.Errorf("恢复 in WeChat brings back bulletins that were refused by text message: %q", got)
		}
		if err := w.Leave(ctx, officialID, wang); err != nil {
			t.Fatal(err)
		}
		if w.reaches(phone) {
			t.Error("whoever left the account is told there")
		}
		w.advance(time.Minute) // a push of the same second is the same push
		must(w.Follow(ctx, officialID, wang))
		if !w.reaches(phone) {
			t.Error("whoever came back is not told there")
		}
	})
}

// A stop in the middle of a report ends the report and refuses nothing.
func TestAStopInAConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	must(w.Follow(ctx, officialID, wang))
	w.bind(wang, phone)
	w.says(wang, "家里不热", "住址")
	w.says(wang, "stop")
	if !w.reaches(phone) {
		t.Error("the end of a conversation refused messages")
	}
}

// A voice message that WeChat recognised opens a matter like a text; the recording is kept beside it.
func TestAVoiceOpensAMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	must(w.Follow(ctx, officialID, wang))
	w.bind(wang, phone)
	amr := append([]byte("#!AMR\n"), bytes.Repeat([]byte{0x3c, 9}, 50)...)
	got := must(w.Speak(ctx, officialID, wang, amr, "我家暖气不热。"))
	if !strings.Contains(got, "听到的是：“我家暖气不热”") || !strings.Contains(got, "住址") {
		t.Fatalf("answered %q", got)
	}
	w.says(wang, "向阳花园3号楼2单元601", "从什么时候")
	if got := must(w.Speak(ctx, officialID, wang, append(amr, 1), "")); !strings.Contains(got, "坐席") {
		t.Errorf("a voice without words: %q", got)
	}
	w.work()
	if n := w.count("SELECT count(*) FROM blob WHERE city_id = $1 AND media_type = 'audio/amr'"); n != 2 {
		t.Errorf("%d recordings were kept", n)
	}
}
