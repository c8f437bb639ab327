package wechat_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

func encodePicture(w io.Writer) error {
	return jpeg.Encode(w, image.NewRGBA(image.Rect(0, 0, 32, 24)), nil)
}

// TestColdHomeBecomesACase leads a resident from three words to a number, and back to how far it has come.
func TestColdHomeBecomesACase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		if got := must(w.Follow(ctx, officialID, wang)); !strings.Contains(got, "家里不热") {
			t.Errorf("welcome %q", got)
		}
		no := w.report(wang)
		c := w.caseOf(no)
		if c.Channel != cases.WeChat || c.Proposed != "C1" && c.Company != "C1" || c.Details.Since != "昨天" || c.TestAt.IsZero() || !strings.Contains(c.Text, "家里不热") {
			t.Errorf("case %+v", c)
		}
		w.says(wang, "进度", no, "https://heat.example.cn/r/")
		w.says(li, "进度", "没有查到")
		w.says(li, "hello there, what is the status?", "no case")
		if n := w.count("SELECT count(*) FROM channel_message WHERE city_id = $1 AND case_id = $2", c.ID); n != 1 {
			t.Errorf("%d messages are tied to the case", n)
		}
		if n := w.count("SELECT count(*) FROM channel_reply WHERE city_id = $1 AND state = 'sent'"); n != 1 {
			t.Errorf("%d answers went out through the channel", n)
		}
		if f := w.Faults(); len(f) > 0 {
			t.Errorf("WeChat would have refused: %v", f)
		}
	})
}

// TestWaysThroughTheDialogue: locations, words before they are asked for, second thoughts, mistakes.
func TestWaysThroughTheDialogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.says(wang, "从昨晚开始家里就不热", "住址")
	w.says(wang, "随便写写", "没有找到")
	w.says(wang, "向阳花园", "手机号") // asked twice is enough: a seat finds the rest
	w.says(wang, "12345", "11位")
	w.says(wang, phone, "测室温")
	w.says(wang, "也许", "回复 1")
	w.says(wang, "取消", "不报了")
	w.says(wang, "好", "可以这样写")
	w.says(li, "家里不热", "住址")
	if got := must(w.Locate(ctx, officialID, li, 37.87, 112.55, "向阳花园3号楼2单元601")); !strings.Contains(got, "城北热力") {
		t.Errorf("a location is answered with %q", got)
	}
	w.says(li, "进度", "没有查到")
	w.says(li, "13903510002", "从什么时候")
	w.advance(time.Hour)
	w.says(li, "2", "可以这样写") // the question waited too long
	w.says(li, "no heat at home", "Where is it")
	w.says(li, "stop", "nothing was reported")
	if got := must(w.Tap(ctx, officialID, li, "report")); !strings.Contains(got, "住址") {
		t.Errorf("the button is answered with %q", got)
	}
	if got := must(w.Tap(ctx, officialID, li, "something else")); !strings.Contains(got, "可以这样写") {
		t.Errorf("an unknown button is answered with %q", got)
	}
	if n := w.count("SELECT count(*) FROM case_file WHERE city_id = $1"); n != 0 {
		t.Errorf("%d cases were opened", n)
	}
}

// TestRepeatsCountOnce: the same push three times at once, again later and out of order is one message with one answer.
func TestRepeatsCountOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.says(wang, "家里不热", "住址")
		w.says(wang, "向阳花园3号楼2单元601", "手机号")
		push := w.Compose(officialID, wang, w.Text(phone))
		answers := make([]string, 3)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = must(w.Deliver(ctx, push)) })
		}
		all.Wait()
		for i, a := range answers {
			if a == "" { // it lost the race for longer than WeChat waits: WeChat pushes again
				answers[i] = must(w.Deliver(ctx, push))
			}
		}
		if answers[0] != answers[1] || answers[1] != answers[2] || !strings.Contains(answers[0], "从什么时候") {
			t.Errorf("answers %q", answers)
		}
		w.says(wang, "1", "测室温")
		w.says(wang, "1", "正在登记")
		late := must(w.Deliver(ctx, push))
		if late != answers[0] {
			t.Errorf("later the same push is answered with %q", late)
		}
		w.work()
		w.work()
		if n := w.count("SELECT count(*) FROM case_file WHERE city_id = $1"); n != 1 {
			t.Errorf("%d cases", n)
		}
		if n := w.count("SELECT count(*) FROM channel_message WHERE city_id = $1"); n != 5 {
			t.Errorf("%d messages were kept, want 5", n)
		}
		events := w.Compose(officialID, wang, "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>progress</EventKey>")
		one, two := must(w.Deliver(ctx, events)), must(w.Deliver(ctx, events))
		if one != two || one == "" || w.count("SELECT count(*) FROM channel_message WHERE city_id = $1") != 6 {
			t.Errorf("an event pushed twice: %q, %q", one, two)
		}
	})
}

// TestForgeries: what is not WeChat's changes nothing, is logged without what it said, and a signature is good for one message.
func TestForgeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	good := w.Compose(officialID, wang, w.Text("家里不热"))
	for name, change := range map[string]func(p *wechatfake.Push){
		"signature":       func(p *wechatfake.Push) { p.Query.Set("signature", strings.Repeat("a", 40)) },
		"body":            func(p *wechatfake.Push) { p.Body = w.Compose(officialID, li, w.Text("漏水")).Body },
		"another account": func(p *wechatfake.Push) { p.App = miniID },
		"bomb":            func(p *wechatfake.Push) { p.Body = []byte(`<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>`) },
	} {
		p := good
		p.Query = cloneQuery(good.Query)
		change(&p)
		if said, err := w.Deliver(ctx, p); err == nil {
			t.Errorf("forged %s was answered with %q", name, said)
		}
	}
	if n := w.count("SELECT count(*) FROM channel_message WHERE city_id = $1") + w.count("SELECT count(*) FROM wechat_user WHERE city_id = $1"); n != 0 {
		t.Errorf("forgeries left %d rows", n)
	}
	if log := w.log.String(); strings.Count(log, "wechat push refused") != 4 || strings.Contains(log, "家里不热") || strings.Contains(log, wang) {
		t.Errorf("log:\n%s", log)
	}
	w.advance(2 * wechat.Window)
	if _, err := w.Deliver(ctx, good); err == nil {
		t.Error("a push from ten minutes ago was taken")
	}
	if _, err := w.service.Verify(ctx, city, "official", wechat.Query{Signature: "x", Timestamp: "1", Nonce: "n", Echo: "hello"}); err == nil {
		t.Error("a forged question whether the address is ours was answered")
	}
	ok := w.Compose(officialID, wang, "")
	q := query(ok.Query)
	q.Echo = "8765"
	if got, err := w.service.Verify(ctx, city, "official", q); err != nil || got != "8765" {
		t.Errorf("WeChat asks whether the address is ours: %q %v", got, err)
	}
	if _, err := w.service.Verify(ctx, city, "nobody", q); err == nil {
		t.Error("an account that does not exist was verified")
	}
}

func cloneQuery(v map[string][]string) map[string][]string {
	out := map[string][]string{}
	for k, s := range v {
		out[k] = slices.Clone(s)
	}
	return out
}

// TestPictures: a picture joins the open case, or the report under way; what only pretends to be one is refused.
func TestPictures(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		photo := jpegOf(t)
		if got := must(w.Photo(ctx, officialID, wang, "image/jpeg", photo)); !strings.Contains(got, "没有在办") {
			t.Errorf("without a case: %q", got)
		}
		w.says(wang, "家里不热", "住址")
		if got := must(w.Photo(ctx, officialID, wang, "image/jpeg", photo)); !strings.Contains(got, "住址") {
			t.Errorf("on the way: %q", got)
		}
		w.says(wang, "取消")
		no := w.report(wang)
		if got := must(w.Photo(ctx, officialID, wang, "image/jpeg", photo)); !strings.Contains(got, no) {
			t.Errorf("with a case: %q", got)
		}
		for _, bad := range [][]byte{[]byte("<html>not a picture</html>"), []byte("GIF89a"), bytes.Repeat([]byte{0xff, 0xd8, 0xff}, 100), bytes.Repeat([]byte("x"), wechat.MostMedia+10)} {
			must(w.Photo(ctx, officialID, wang, "image/jpeg", bad))
		}
		w.work()
		c := w.caseOf(no)
		kept, err := db.Read(ctx, w.d, func(tx *db.Tx) ([]blob.Blob, error) { return blob.Of(ctx, tx, city, c.Subject()) })
		if err != nil || len(kept) != 1 || kept[0].MediaType != "image/jpeg" {
			t.Errorf("kept %+v %v", kept, err)
		}
		said := 0
		for _, card := range w.Cards(officialID, wang) {
			if card.From == wechatfake.Service && strings.Contains(card.Text, "打不开") {
				said++
			}
		}
		if said != 4 {
			t.Errorf("%d of 4 false pictures were answered", said)
		}
		if n := w.count("SELECT count(*) FROM job WHERE city_id = $1 AND state = 'dead'"); n != 0 {
			t.Errorf("%d dead jobs", n)
		}
	})
}

// TestRecordings: a recording is kept with the message, for a seat to listen to.
func TestRecordings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	amr := append([]byte("#!AMR\n"), bytes.Repeat([]byte{0x3c, 9}, 50)...)
	if got := must(w.Speak(ctx, officialID, wang, amr, "我家暖气不热")); !strings.Contains(got, "听到的是：“我家暖气不热”") {
		t.Errorf("answered %q", got)
	}
	must(w.Speak(ctx, officialID, wang, jpegOf(t), ""))
	w.work()
	if n := w.count("SELECT count(*) FROM blob WHERE city_id = $1 AND media_type = 'audio/amr'"); n != 1 {
		t.Errorf("%d recordings were kept", n)
	}
	list := must(w.channels.Messages(ctx, leader, city, channel.Filter{}))
	if len(list.Items) != 2 || list.Items[1].Text != "我家暖气不热" || list.Items[1].Media[0].Kind != "voice" {
		t.Errorf("seats see %+v", list.Items)
	}
}

// TestBinding: a telephone is proved by its code; a wrong code binds nothing, and who bound need not write it again.
func TestBinding(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.says(wang, "大厅", "绑定")
		w.says(wang, "绑定", "手机号")
		w.says(wang, "我没有手机", "11位")
		w.says(wang, phone, "6位")
		w.work()
		w.says(wang, "000000", "不对")
		w.says(wang, w.code(phone), "绑定好了")
		w.says(wang, "家里不热", "住址")
		w.says(wang, "向阳花园3号楼2单元601", "从什么时候") // the telephone is known
		w.says(wang, "取消")
		if n := w.count("SELECT count(*) FROM resident_session WHERE city_id = $1 AND ended_at IS NULL"); n > 0 {
			t.Errorf("binding left %d logins", n)
		}
		for _, table := range []string{"channel_message", "wechat_push", "wechat_dialogue", "job"} {
			if w.mentions(table, phone) || w.mentions(table, w.code(phone)) || w.mentions(table, wang) {
				t.Errorf("%s shows the telephone, the code or the openid", table)
			}
		}
	})
}

// mentions looks for a text in every column of a table.
func (w *world) mentions(table, word string) bool {
	w.t.Helper()
	found := false
	err := func() error {
		_, err := db.Read(ctx, w.d, func(tx *db.Tx) (struct{}, error) {
			return struct{}{}, db.EachRow(ctx, tx, func(row []any) error {
				for _, v := range row {
					if s, ok := v.(string); ok && strings.Contains(s, word) {
						found = true
					}
				}
				return nil
			}, "SELECT * FROM "+table+" WHERE city_id = $1", city)
		})
		return err
	}()
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// TestHallLink: the link logs in once, within its minutes, whoever bound a telephone.
func TestHallLink(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.bind(wang, phone)
		said := w.says(wang, "大厅", "https://heat.example.cn/w/")
		ticket := said[strings.LastIndex(said, "/")+1:]
		for range 3 { // WeChat and its guards look at links before anybody taps them
			if err := w.service.Holds(ctx, city, ticket); err != nil {
				t.Fatalf("the link does not hold: %v", err)
			}
		}
		var all sync.WaitGroup
		var in [4]error
		for i := range in {
			all.Go(func() { _, in[i] = w.service.EnterByTicket(ctx, city, ticket, "test") })
		}
		all.Wait()
		entered := 0
		for _, err := range in {
			if err == nil {
				entered++
			}
		}
		if entered != 1 {
			t.Errorf("a link let %d in: %v", entered, in)
		}
		late := w.says(wang, "大厅", "/w/")
		w.advance(time.Hour)
		for _, bad := range []string{ticket, late[strings.LastIndex(late, "/")+1:], "", "nonsense", strings.Repeat("x", 5000)} {
			if _, err := w.service.EnterByTicket(ctx, city, bad, "test"); err == nil {
				t.Errorf("the ticket %.20q let somebody in", bad)
			}
		}
	})
}

// TestAnswersToQuestions: whoever bound a telephone answers our question with a digit.
func TestAnswersToQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.bind(wang, phone)
	w.says(wang, "1", "可以这样写")
	w.question(phone)
	w.says(wang, "1", "记下了")
	w.says(wang, "1", "可以这样写")
}
