package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue/feedfake"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/webhook/webhookfake"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// Desk shows what every outside party of the demonstration was sent, and lets a visitor be each of them. Each part may be
// missing: an installation that has the real party plays none.
type Desk struct {
	App    *app.App
	At     string // where the installation answers
	SMS    *smsfake.Gateway
	WeChat *wechatfake.Server
	Out    *Outside
	Switch *ctifake.Switch
	Hook   *webhookfake.Subscriber
	Met    *atomic.Pointer[platformfake.Platform] // 12345, once it is there
}

// Party is an outside party. Its name on the screen is "demodesk.<id>", what a visitor can do is "demodesk.<id>.do".
type Party struct {
	ID    string
	Sent  []Taken  // the newest first
	Wrong []string // what it refused: unsigned, forged, against the contract
	Asks  []string // fields of its form
	Link  string   // a page of its own
}

// Taken is something that a party was sent and found in order.
type Taken struct{ To, Text string }

// Saying is what a visitor lets a party do.
type Saying struct {
	From string `form:"from"`
	Text string `form:"text"`
}

// The parties.
const (
	partySMS     = "sms"
	partyReceipt = "receipt"
	partyWeChat  = "wechat"
	partyWeibo   = "weibo"
	partyFeed    = "opinion"
	partyMail    = "mail"
	partyHotline = "hotline"
	partySwitch  = "switch"
	partyHook    = "webhook"
)

const (
	askFrom = "from"
	askText = "text"
	shown   = 4 // of what a party was sent
)

// Parties are those that are played here.
func (d *Desk) Parties() []Party {
	var all []Party
	add := func(p Party) {
		slices.Reverse(p.Sent)
		p.Sent = p.Sent[:min(len(p.Sent), shown)]
		all = append(all, p)
	}
	if d.SMS != nil {
		p := Party{ID: partySMS, Asks: []string{askFrom, askText}, Link: "/demo/sms"}
		for _, m := range d.SMS.Sent() {
			p.Sent = append(p.Sent, Taken{m.To, m.Text})
		}
		add(p)
		if len(p.Sent) > 0 {
			add(Party{ID: partyReceipt})
		}
	}
	if d.WeChat != nil {
		p := Party{ID: partyWeChat, Wrong: d.WeChat.Faults(), Asks: []string{askText}, Link: fmt.Sprintf("/c/%d/demo/wechat", sim.Code)}
		for _, c := range d.WeChat.Cards(OfficialID, follower) {
			if c.From != wechatfake.Resident {
				p.Sent = append(p.Sent, Taken{c.Kind, c.Text})
			}
		}
		add(p)
	}
	if d.Out != nil {
		p := Party{ID: partyWeibo, Asks: []string{askFrom, askText}}
		for _, c := range append(d.Out.Weibo.Comments(), d.Out.Weibo.Messages()...) {
			p.Sent = append(p.Sent, Taken{strconv.FormatInt(c.To, 10), c.Text})
		}
		add(p)
		add(Party{ID: partyFeed, Asks: []string{askFrom, askText}})
		p = Party{ID: partyMail, Wrong: d.Out.Post.Faults(), Asks: []string{askFrom, askText}}
		for _, l := range d.Out.Post.Letters() {
			p.Sent = append(p.Sent, Taken{l.To, mail.Read(l.Raw, mail.Reading{}).Text})
		}
		add(p)
	}
	for _, p := range d.machines() {
		add(p)
	}
	return all
}

// machines are the parties that are programs.
func (d *Desk) machines() (all []Party) {
	if h := d.hotline(); h != nil {
		p := Party{ID: partyHotline, Wrong: h.Wrong(), Asks: []string{askFrom, askText}}
		for _, t := range h.Tickets() {
			for _, m := range t.Taken {
				p.Sent = append(p.Sent, Taken{t.No, strings.TrimSpace(string(m.Event) + " " + m.Text)})
			}
		}
		all = append(all, p)
	}
	if d.Switch != nil {
		p := Party{ID: partySwitch, Asks: []string{askFrom}}
		for _, c := range d.Switch.Obeyed() {
			p.Sent = append(p.Sent, Taken{c.Seat, strings.TrimSpace(string(c.Do) + " " + c.Call)})
		}
		all = append(all, p)
	}
	if d.Hook != nil {
		p := Party{ID: partyHook, Wrong: d.Hook.Wrong()}
		for _, g := range d.Hook.Got() {
			t := Taken{To: g.At.Minute(), Text: string(g.Event)}
			if g.Case != nil {
				t.Text += " " + g.Case.No
			}
			p.Sent = append(p.Sent, t)
		}
		all = append(all, p)
	}
	return all
}

func (d *Desk) hotline() *platformfake.Platform {
	if d.Met == nil {
		return nil
	}
	return d.Met.Load()
}

// follower is the reader of WeChat as whom the desk writes.
const follower = "oDemoDesk"

// Do lets a party do what it does: it signs as the real one would, over the network.
func (d *Desk) Do(ctx context.Context, id string, in Saying) error {
	const most = 500
	if r := []rune(in.Text); len(r) > most {
		in.Text = string(r[:most])
	}
	for _, p := range d.Parties() {
		if p.ID != id {
			continue
		}
		var c fault.Check
		c.That(!slices.Contains(p.Asks, askFrom) || in.From != "" && len(in.From) <= 60, askFrom, "field.required")
		c.That(!slices.Contains(p.Asks, askText) || in.Text != "", askText, "field.required")
		if err := c.Err(); err != nil {
			return err
		}
		return d.act(ctx, id, in)
	}
	return fault.New(fault.NotFound, "not_found")
}

func (d *Desk) act(ctx context.Context, id string, in Saying) error {
	now, machine := d.App.DB.Now(), d.App.Machine()
	unique := strconv.FormatInt(machine.UnixNano(), 10)
	sms := fmt.Sprintf("%s/c/%d/hooks/sms", d.At, sim.Code)
	switch id {
	case partySMS:
		return d.SMS.Reply(ctx, sms, in.From, in.Text)
	case partyReceipt:
		all := d.SMS.Sent()
		return d.SMS.Receipt(ctx, sms, all[len(all)-1].Key, true)
	case partyWeChat:
		if !d.WeChat.Follows(OfficialID, follower) {
			if _, err := d.WeChat.Follow(ctx, OfficialID, follower); err != nil {
				return err
			}
		}
		_, err := d.WeChat.Write(ctx, OfficialID, follower, in.Text)
		return err
	case partyWeibo:
		d.Out.Weibo.Mention(2000, in.From, in.Text, now, 0)
		return d.fetch(ctx, cases.Weibo)
	case partyFeed:
		d.Out.Feed.Write(feedfake.Post{ID: unique, Text: in.Text, Author: in.From, Link: "https://forum.example.cn/t/" + unique, At: now})
		return d.fetch(ctx, cases.Opinion)
	case partyMail:
		var c fault.Check
		if c.That(mail.NormalAddress(in.From) != "", askFrom, "mail.bad_address"); !c.OK() {
			return c.Err()
		}
		subject, _, _ := strings.Cut(in.Text, "\n")
		w := mailfake.Written{
			From: in.From, Name: in.From, To: Mailbox, Subject: strings.TrimSpace(subject), Text: in.Text, ID: unique + "@example.cn", At: now.Time(),
		}
		if err := d.Out.Post.Deliver(Mailbox, w.Raw()); err != nil {
			return err
		}
		return d.fetch(ctx, cases.Mail)
	case partyHotline:
		d.hotline().Open(exchange.Details{Text: in.Text, ReceivedAt: now, ReplyBy: now.Add(24 * time.Hour), Caller: cases.Party{Phone: in.From}})
		return nil // its program sends it within seconds
	case partySwitch:
		_, err := d.Switch.Dial(ctx, in.From, "")
		return err
	}
	return fault.New(fault.NotFound, "not_found")
}

// fetch polls the account of a channel at once.
func (d *Desk) fetch(ctx context.Context, c cases.Channel) error {
	all, err := db.Read(ctx, d.App.DB, func(tx *db.Tx) ([]channel.Account, error) { return d.App.Channels.AccountsIn(ctx, tx, sim.Code) })
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Channel == c && a.Name == account {
			return d.App.Channels.PollNow(ctx, a)
		}
	}
	return fault.New(fault.NotFound, "not_found")
}
