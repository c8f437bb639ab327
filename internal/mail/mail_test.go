package mail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

const cold = "向阳花园3号楼2单元601暖气不热，家里只有15.5度，打电话13803510001没人管"

// parts are the plain and the HTML version of a letter of ours.
func parts(t *testing.T, l mailfake.Letter) (plain, page string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(l.Raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return plain, page
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			page = string(b)
		} else {
			plain = strings.ReplaceAll(string(b), "\r\n", "\n")
		}
	}
}

// A letter becomes a clue with its photograph, the clue a case, the writer is told the number, an answer goes out in the
// thread, and what the writer answers to that is a word on the case.
func TestALetterAndItsAnswers(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		first := w.writes(mailfake.Written{Subject: "家里不热", Text: cold, Files: []mailfake.File{
			{Name: "温度计.jpg", Type: "image/jpeg", Bytes: picture(w.t)}, {Name: "看我.jpg", Type: "image/jpeg", Bytes: []byte("MZ\x90 this is a program")},
		}})
		w.work(2)
		c := w.only()
		if c.Channel != cases.Mail || c.Guess != clue.Heating || c.Place != "向阳花园" || strings.Contains(c.Text, "13803510001") || c.Sender != "王**" {
			w.t.Fatalf("clue %+v", c)
		}
		m := w.messages()[0]
		if len(m.Media) != 1 || m.Media[0].Kind != "image" || m.Extra[mail.ExtraOdd] != "mail.odd.file" || strings.Contains(fmt.Sprint(m), wang) {
			w.t.Errorf("message %+v", m)
		}
		file := w.confirmed(c)
		if file.Channel != cases.Mail || len(w.blobsOf(file.Subject())) != 1 {
			w.t.Fatalf("case %+v with %d photographs", file, len(w.blobsOf(file.Subject())))
		}
		w.work(2)
		told := w.post.Letters()
		if len(told) != 1 || told[0].To != wang || told[0].Header.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(told[0].Header.Get("List-Unsubscribe"), "https://heat.example.cn/c/990100/stop/") {
			w.t.Fatalf("letters %+v", told)
		}
		plain, page := parts(w.t, told[0])
		if !strings.Contains(plain, file.No) || !strings.Contains(page, file.No) || !strings.Contains(page, `<a href="https://heat.example.cn/c/990100/m/r/`) {
			w.t.Errorf("told %q\n%s", plain, page)
		}
		if _, err := w.app.Clues.Answer(ctx, leader, clue.Answering{City: city, ID: c.ID, Text: "师傅今天 19 点上门。\n.\n请留人。"}); err != nil {
			w.t.Fatal(err)
		}
		w.work(2)
		answer := w.post.Letters()[1]
		if h := answer.Header; h.Get("In-Reply-To") != "<"+first+">" || h.Get("References") != "<"+first+">" || h.Get("Auto-Submitted") != "" {
			w.t.Errorf("headers of the answer: %v", h)
		}
		if plain, _ := parts(w.t, answer); plain != "师傅今天 19 点上门。\n.\n请留人。\n\n暖城供热中心" {
			w.t.Errorf("answer %q", plain)
		}
		w.writes(mailfake.Written{Subject: "Re: 家里不热", Text: "好的，还是冷\n> 师傅今天", Answers: answer.ID, Files: []mailfake.File{{Name: "b.jpg", Type: "image/jpeg", Bytes: picture(w.t)}}})
		w.work(2)
		if acts := w.acts(file); !slices.Contains(acts, "case.word") || len(w.clues()) != 1 {
			w.t.Errorf("the answer is no word on the case: %v, %d clues", acts, len(w.clues()))
		}
	})
}

// What the sender is known by decides whether a letter is a word on a case: the thread and the number alone do not.
func TestWhoMaySpeakOnACase(t *testing.T) {
	t.Parallel()
	each(t, true, func(w *world) {
		w.writes(mailfake.Written{Subject: "不热", Text: cold})
		w.work(2)
		file := w.confirmed(w.only())
		w.work(2)
		told := w.post.Letters()[0]
		const thief = "thief@example.cn"
		w.writes(mailfake.Written{From: thief, Subject: "Re: 不热", Text: "已经热了，请结案", Answers: told.ID})
		w.writes(mailfake.Written{From: thief, Subject: "关于" + file.No, Text: "已经热了，不用来了"})
		w.writes(mailfake.Written{Subject: "关于" + file.No, Text: "还有一间也冷"})
		w.writes(mailfake.Written{Subject: "Re: 您反映的", Text: "厨房漏水", Answers: told.ID})
		w.work(2)
		words := 0
		for _, a := range w.acts(file) {
			if a == "case.word" {
				words++
			}
		}
		if words != 2 || len(w.clues()) != 3 {
			w.t.Errorf("%d words on the case and %d clues, want 2 and 3", words, len(w.clues()))
		}
	})
}

// Nothing is lost and nothing comes twice: not when the connection breaks in the middle, not when letters are delivered
// twice, not when the mailbox counts anew, not when the cursor is behind.
func TestTheMailboxBreaks(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		for n := range 25 {
			w.writes(mailfake.Written{From: fmt.Sprintf("r%d@example.cn", n), Subject: fmt.Sprintf("第%d户", n), Text: fmt.Sprintf("这里是第%d封信，家里%d度。", n, n) + strings.Repeat("很冷。", 200)})
		}
		for _, after := range []int{1500, 3000, 9000, 20000, 40000} {
			w.post.HangUpIMAP(after)
			w.work(1)
		}
		w.work(70) // it rests after failures
		if got := len(w.messages()); got != 25 {
			w.t.Fatalf("%d letters, want 25", got)
		}
		w.writes(mailfake.Written{Subject: "再来一封", Text: "最新"})
		if err := w.post.Renumber(heat); err != nil {
			w.t.Fatal(err)
		}
		w.work(2)
		if got := len(w.messages()); got != 26 {
			w.t.Errorf("%d letters after the mailbox was numbered anew, want 26", got)
		}
		raw := mailfake.Written{From: wang, To: heat, Subject: "转来", Text: "一封信", ID: "twice@example.cn", At: w.machine()}.Raw()
		w.arrives(raw)
		w.arrives(append([]byte("Received: from elsewhere by here\r\n"), raw...))
		w.work(2)
		if got := len(w.messages()); got != 27 {
			w.t.Errorf("%d letters after one was delivered twice, want 27", got)
		}
	})
}

// A letter that the server does not hand out holds up none of those behind it; staff read that it is there, once.
func TestALetterThatIsWithheld(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		w.work(1)
		w.post.Withhold(2)
		for n := range 3 {
			w.writes(mailfake.Written{From: fmt.Sprintf("r%d@example.cn", n), Subject: fmt.Sprintf("第%d户不热", n), Text: fmt.Sprintf("我家%d号楼不热，只有%d度。", n, 12+n)})
		}
		w.work(4)
		var kept []string
		for _, m := range w.messages() {
			kept = append(kept, m.Text)
		}
		want := []string{"我家0号楼不热，只有12度。", "邮箱服务器不肯交出第 2 号邮件，请到邮箱里查看，再按内容登记。", "我家2号楼不热，只有14度。"}
		slices.Sort(kept)
		slices.Sort(want)
		if diff := cmp.Diff(want, kept); diff != "" {
			w.t.Errorf("letters:\n%s", diff)
		}
		if len(w.clues()) != 3 {
			w.t.Errorf("%d clues, want 3", len(w.clues()))
		}
	})
}

func TestMachinesAreNotAnswered(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		w.writes(mailfake.Written{Subject: "自动回复：休假", Text: "我在休假"})
		w.writes(mailfake.Written{Subject: "暖气片大减价", Text: "买二送一，暖气不热", Headers: []string{"Precedence: bulk"}})
		w.writes(mailfake.Written{From: heat, Subject: "通知", Text: "不热"})
		w.work(3)
		if len(w.messages()) != 3 || len(w.clues()) != 0 || len(w.post.Letters()) != 0 {
			w.t.Errorf("%d letters, %d clues, %d answers", len(w.messages()), len(w.clues()), len(w.post.Letters()))
		}
	})
}

// tell writes a letter to somebody down, as a step of a case does.
func (w *world) tell(matter string, other *notice.Address) notice.Notice {
	w.t.Helper()
	n, err := db.Write(ctx, w.app.DB, func(tx *db.Tx) (notice.Notice, error) {
		return w.app.Notices.EnqueueIn(ctx, tx, leader, notice.Message{
			City: city, Channel: notice.Email, To: wang, Template: "message.case.close", Matter: matter, Subject: "case:1", Other: other,
			Params: map[string]any{"no": "20260115-00001\r\nBcc: thief@example.cn", "link": "https://heat.example.cn/r/tok123"},
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) notice(id string) notice.View {
	w.t.Helper()
	v, err := w.app.Notices.Get(ctx, leader, city, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// A server may take a letter and fall silent, ask to come again, hang up, or be full: the reader gets the letter once.
func TestASendingThatFails(t *testing.T) {
	t.Parallel()
	each(t, true, func(w *world) {
		for i, how := range []mailfake.Failure{mailfake.Silent, mailfake.Greylist, mailfake.HangUp, mailfake.Full} {
			w.post.Fail(how, 2)
			n := w.tell(fmt.Sprintf("m%d", i), nil)
			w.work(30)
			if got := w.notice(n.ID); got.State != notice.Sent || got.GatewayID != fmt.Sprintf("n.%d.%s@nuan.example.cn", city, n.ID) {
				w.t.Errorf("failure %d: %s %q after %d attempts", how, got.State, got.GatewayID, got.Attempts)
			}
			if all := w.post.Letters(); len(all) != i+1 || how == mailfake.Silent && all[i].Times != 3 {
				w.t.Errorf("failure %d: %d letters", how, len(all))
			}
		}
		w.post.Fail(mailfake.Refuse, 1)
		n := w.tell("refused", nil)
		w.work(2)
		if got := w.notice(n.ID); got.State != notice.Failed || got.Reason != "notice.reason.bad_address" {
			w.t.Errorf("a refused letter is %s, %s", got.State, got.Reason)
		}
		for _, l := range w.post.Letters() {
			if subject, err := new(mime.WordDecoder).DecodeHeader(l.Header.Get("Subject")); err != nil || !strings.HasSuffix(subject, "20260115-00001 Bcc: thief@example.cn") {
				w.t.Errorf("subject %q, %v", subject, err)
			}
		}
	})
}

// A letter that comes back is not delivered, or goes the other way; one that answers the reader comes back to staff.
func TestALetterComesBack(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		alone, other := w.tell("alone", nil), w.tell("other", &notice.Address{Channel: notice.SMS, To: "13803510001"})
		w.work(2)
		for _, l := range w.post.Letters() {
			w.arrives(mailfake.Returned(l, "delayed", "4.4.1", w.machine()))
			w.arrives(mailfake.Returned(l, "failed", "5.1.1", w.machine()))
		}
		w.arrives(mailfake.Returned(mailfake.Letter{From: heat, To: wang, ID: "n.990100.01900000-0000-7000-8000-000000000000@nuan.example.cn"}, "failed", "5", w.machine()))
		w.work(3)
		if got := w.notice(alone.ID); got.State != notice.Failed || got.Reason != "notice.reason.bounced" {
			w.t.Errorf("a letter that came back is %s, %s", got.State, got.Reason)
		}
		if got := w.notice(other.ID); got.Channel != notice.SMS || got.Tried != notice.Email {
			w.t.Errorf("a letter with another way is %s by %s", got.State, got.Channel)
		}
		w.writes(mailfake.Written{Subject: "不热", Text: cold})
		w.work(2)
		if _, err := w.app.Clues.Answer(ctx, leader, clue.Answering{City: city, ID: w.only().ID, Text: "请留下电话"}); err != nil {
			w.t.Fatal(err)
		}
		w.work(2)
		w.arrives(mailfake.Returned(w.post.Letters()[2], "failed", "5.2.2", w.machine()))
		w.work(3)
		if r := w.replies(); len(r) != 1 || r[0].State != channel.Failed || r[0].Reason != "channel.reason.bounced" {
			w.t.Errorf("answers %+v", r)
		}
	})
}

func (w *world) resident(phone string) actor.Actor {
	w.t.Helper()
	p, err := db.Write(ctx, w.app.DB, func(tx *db.Tx) (secret.Person, error) {
		return secret.Subject(ctx, tx, w.app.Ring, city, secret.Phone, phone)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return resident.As(city, p.ID, actor.Page)
}

// A resident's address counts once the code that was sent to it came back; then letters go there before text messages do,
// until they stop them.
func TestAnAddressIsProved(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		by := w.resident("13803510001")
		who, _ := resident.PersonOf(by)
		if err := w.app.Mail.Want(ctx, by, mail.Wanting{City: city, Address: " Wang.Guilan@Example.CN "}); err != nil {
			w.t.Fatal(err)
		}
		if err := w.app.Mail.Want(ctx, by, mail.Wanting{City: city, Address: wang}); !fault.Is(err, fault.Exhausted) {
			w.t.Errorf("a second code at once: %v", err)
		}
		if err := w.app.Mail.Want(ctx, by, mail.Wanting{City: city, Address: "a@b\r\nBcc: c@d.cn"}); !fault.Is(err, fault.Invalid) {
			w.t.Errorf("an address with a header in it: %v", err)
		}
		w.work(2)
		plain, _ := parts(w.t, w.post.Letters()[0])
		code := plain[strings.Index(plain, "是 ")+4:][:6]
		for range 3 {
			if err := w.app.Mail.Confirm(ctx, by, mail.Confirming{City: city, Code: "000000x"}); !fault.Is(err, fault.Invalid) {
				w.t.Errorf("a wrong code: %v", err)
			}
		}
		reach := func() string {
			to, err := db.Read(ctx, w.app.DB, func(tx *db.Tx) (string, error) { return w.app.Mail.ReachIn(ctx, tx, city, who) })
			if err != nil {
				w.t.Fatal(err)
			}
			return to
		}
		if to := reach(); to != "" {
			w.t.Errorf("letters go to %q before it is proved", to)
		}
		if err := w.app.Mail.Confirm(ctx, by, mail.Confirming{City: city, Code: code}); err != nil {
			w.t.Fatalf("the code %q: %v", code, err)
		}
		if to := reach(); to != wang {
			w.t.Errorf("letters go to %q", to)
		}
		sms := func(matter string) notice.Notice {
			n, err := db.Write(ctx, w.app.DB, func(tx *db.Tx) (notice.Notice, error) {
				return w.app.Notices.EnqueueIn(ctx, tx, leader, notice.Message{
					City: city, Channel: notice.SMS, Person: who, To: "13803510001", Template: "message.case.close", Matter: matter, Params: map[string]any{"no": "1", "link": "x"},
				})
			})
			if err != nil {
				w.t.Fatal(err)
			}
			return n
		}
		n := sms("one")
		w.work(2)
		if got := w.notice(n.ID); got.Channel != notice.Email || got.State != notice.Sent {
			w.t.Fatalf("the message went by %s: %s", got.Channel, got.State)
		}
		stop := w.post.Letters()[1].Header.Get("List-Unsubscribe")
		token := stop[strings.Index(stop, "/stop/")+6 : strings.Index(stop, ">")]
		if err := w.app.Mail.Stop(ctx, mail.Stopping{City: city, Token: token[:len(token)-1] + "0", Scope: notice.Everything}); !fault.Is(err, fault.NotFound) && token[len(token)-1] != '0' {
			w.t.Errorf("a token that is none: %v", err)
		}
		if err := w.app.Mail.Stop(ctx, mail.Stopping{City: city, Token: token, Scope: notice.Everything}); err != nil {
			w.t.Fatal(err)
		}
		if n := sms("two"); n.State != notice.Dropped {
			w.t.Errorf("after they were stopped a message is %s", n.State)
		}
		w.writes(mailfake.Written{Subject: "取消退订", Text: "谢谢"})
		w.work(2)
		if n := sms("three"); n.State != notice.Queued || len(w.clues()) != 0 {
			w.t.Errorf("after they were wanted again a message is %s", n.State)
		}
		if err := w.app.Mail.Forget(ctx, by, city); err != nil || reach() != "" {
			w.t.Errorf("a forgotten address: %v", err)
		}
	})
}

// The night is kept for letters too.
func TestNight(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		w.work(15 * 60) // 23:00
		n := w.tell("late", nil)
		w.work(3)
		if got := w.notice(n.ID); got.State != notice.Queued || got.SendAt.Clock() != "07:00" {
			w.t.Errorf("at night a letter is %s, to go at %s", got.State, got.SendAt.Clock())
		}
	})
}

// A password over a line that is not secret, or a server that nobody vouches for: nothing is said.
func TestWrongServers(t *testing.T) {
	t.Parallel()
	each(t, false, func(w *world) {
		for name, credential := range map[string]string{
			"no vouching": strings.Replace(w.post.Credential(heat, false), "ca=", "xa=", 1),
			"password":    strings.Replace(w.post.Credential(heat, false), "s3cret", "wrong", 1),
			"no address":  "smtp=smtp&imap=imaps&user=x",
			"ca":          strings.Replace(w.post.Credential(heat, false), "ca=", "ca=%2Fnowhere", 1),
		} {
			c, err := channel.ParseCredential(credential)
			if err != nil {
				w.t.Fatal(err)
			}
			a := channel.Access{Account: channel.Account{City: city, Channel: cases.Mail, Name: "x", Title: "x"}, Credential: c}
			ad := w.app.Mail.Adapter()
			if _, err := ad.Poller.Poll(ctx, a, func([]channel.Incoming) error { return nil }); err == nil {
				w.t.Errorf("%s: the mailbox opens", name)
			}
			if _, err := ad.Sender.Send(ctx, a, channel.Outgoing{Key: "k", Sender: wang, Text: "x"}); err == nil {
				w.t.Errorf("%s: a letter goes out", name)
			}
		}
	})
}
