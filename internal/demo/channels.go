package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue/feedfake"
	"github.com/rehu-heat/rehu/internal/clue/weibofake"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/webhook"
)

// Outside is where the city's people write besides WeChat: Weibo, forums that a monitoring vendor reads, and the post.
type Outside struct {
	Weibo *weibofake.Server
	Feed  *feedfake.Server
	Post  *mailfake.Office

	at     string // where Weibo and the vendor answer
	token  string
	secret string
}

// Mailbox is the city's letter box in the demonstration.
const Mailbox = "heat@nuan.example.cn"

// The names under which the installation finds the credentials of these accounts.
const (
	weiboCredential = "demo_weibo"
	feedCredential  = "demo_opinion"
	mailCredential  = "demo_mail"
)

// account is the name of each of these accounts.
const account = "demo"

// NewOutside makes the fakes; at is where Weibo and the vendor will answer, token and secret open them, ca is the file that
// the post office writes its certificate to. Ids of posts begin with the moment, so that a demonstration that is taken up
// again does not give one away twice.
func NewOutside(at, token, secret, ca string, machine time.Time) (*Outside, error) {
	post, err := mailfake.Open(mailfake.Options{Boxes: map[string]string{Mailbox: secret}, CA: ca})
	if err != nil {
		return nil, fmt.Errorf("open the post office of the demonstration: %w", err)
	}
	w := weibofake.New(token, secret)
	w.Begin(machine.UnixMilli() * 1000)
	return &Outside{Weibo: w, Feed: feedfake.New(token), Post: post, at: at, token: token, secret: secret}, nil
}

// Credentials are those of the accounts, by name, as they stand in the environment.
func (o *Outside) Credentials() map[string]string {
	return map[string]string{
		weiboCredential: url.Values{"access_token": {o.token}, "app_secret": {o.secret}, "base": {o.at + "/2"}, "fake": {"1"}}.Encode(),
		feedCredential:  url.Values{"token": {o.token}, "fake": {"1"}}.Encode(),
		mailCredential:  o.Post.Credential(Mailbox, true),
	}
}

// SetOutside sets the accounts up; at is where Weibo and the vendor answer. Known tells that they stood there before.
func SetOutside(ctx context.Context, a *app.App, at string) (joined []channel.Account, known bool, err error) {
	have, err := db.Read(ctx, a.DB, func(tx *db.Tx) ([]channel.Account, error) { return a.Channels.AccountsIn(ctx, tx, sim.Code) })
	if err != nil {
		return nil, false, err
	}
	for _, in := range []channel.AccountInput{
		{Channel: cases.Weibo, Credential: weiboCredential},
		{Channel: cases.Opinion, Credential: feedCredential, Settings: feedfake.Settings(at)},
		{Channel: cases.Mail, Credential: mailCredential},
	} {
		in.City, in.Name, in.Title, in.Enabled = sim.Code, account, text.T(text.ZH, "demo.account."+string(in.Channel)), true
		if i := slices.IndexFunc(have, func(h channel.Account) bool { return h.Channel == in.Channel && h.Name == in.Name }); i >= 0 {
			in.Version, known = have[i].Version, true
		}
		one, err := a.Channels.SetAccount(ctx, owner, in)
		if err != nil {
			return nil, false, fmt.Errorf("set up the account at %s: %w", in.Channel, err)
		}
		joined = append(joined, one)
	}
	return joined, known, nil
}

// Join sets the accounts up, lets people write unless they did in an earlier life of this city, and fetches what they wrote.
func (o *Outside) Join(ctx context.Context, a *app.App, of Options) error {
	joined, known, err := SetOutside(ctx, a, o.at)
	if err != nil || known {
		return err
	}
	of = of.withDefaults()
	if err := o.speak(sim.NewCity(of.Seed, of.Households), a.DB.Now()); err != nil {
		return err
	}
	var all error
	for _, one := range joined {
		all = errors.Join(all, a.Channels.PollNow(ctx, one))
	}
	return all
}

// Subscribe lets a program at an address be told what happens in the city, and gives what its signatures are made with.
func Subscribe(ctx context.Context, a *app.App, at string) (notice.Signer, error) {
	var none notice.Signer
	keys, err := a.Staff.Keys(ctx, owner, sim.Code, page.Request{Size: page.MaxSize})
	if err != nil {
		return none, err
	}
	i := slices.IndexFunc(keys.Items, func(k staff.Key) bool { return k.Name == keysName && k.Org == "centre" && k.Revoked.IsZero() })
	if i < 0 {
		return none, fault.New(fault.NotFound, "not_found")
	}
	in := webhook.Input{City: sim.Code, Key: keys.Items[i].ID, Name: keysName, URL: at, Events: webhook.Events(), Active: true}
	known, err := a.Webhooks.List(ctx, owner, sim.Code)
	if err != nil {
		return none, err
	}
	var got webhook.Subscribed
	if old := slices.IndexFunc(known, func(h webhook.Hook) bool { return h.Name == keysName }); old < 0 {
		got, err = a.Webhooks.Subscribe(ctx, owner, in)
	} else {
		in.ID, in.Version = known[old].ID, known[old].Version
		if _, err = a.Webhooks.Change(ctx, owner, in); err == nil {
			got, err = a.Webhooks.Secret(ctx, owner, sim.Code, in.ID)
		}
	}
	if err != nil {
		return none, fmt.Errorf("subscribe the demonstration's program: %w", err)
	}
	return notice.Signer{Account: got.ID, Secret: got.Secret, Machine: a.Machine}, nil
}

// speak lets people write: about homes that are cold, about a thing that others copy, and about what is nobody's task.
func (o *Outside) speak(c *sim.City, now civil.Instant) error {
	home := func(i int) string { return c.Communities[i*len(c.Communities)/8].Name }
	ago := func(minutes int) civil.Instant { return now.Add(-time.Duration(minutes) * time.Minute) }
	building := home(1) + "整栋楼都不热，业主群里好几户都说暖气片是凉的，从昨天晚上开始的，热线一直占线，什么时候能恢复？"
	o.Weibo.Mention(1001, "冬天里的小米粒", "@暖城供热 "+home(0)+"2号楼3单元501，暖气三天不热了，屋里只有14度，家里有八个月的宝宝，求处理！", ago(175), 0)
	first := o.Weibo.Mention(1002, "老城根儿", "@暖城供热 "+building, ago(150), 0)
	o.Weibo.Mention(1003, "楼上的阿姨", "转发微博", ago(140), first)
	o.Weibo.Mention(1004, "追光者", "@暖城供热 今天的晚霞真好看，下班路上拍的。", ago(120), 0)
	o.Weibo.Mention(1005, "爱操心的老王", "@暖城供热 听说明天全城停暖检修？邻居都在传，有没有准信？", ago(95), 0)
	o.Weibo.Mention(1006, "地暖清洗小刘", "@暖城供热 专业清洗地暖，包热，不热不要钱，加微信有优惠价。", ago(80), 0)
	o.Weibo.Direct(1007, "向暖而生", "我家在"+home(2)+"5号楼1单元302，暖气管接头在滴水，已经拿盆接着了，麻烦尽快来人。", ago(40))
	o.Weibo.Direct(1008, "南城小雨", "你好，想问一下今年的供暖费什么时候截止，家里没人住要办停用怎么办？", ago(30))
	post := func(n int, title, said, author string, at civil.Instant) {
		id := strconv.Itoa(n)
		o.Feed.Write(feedfake.Post{ID: id, Title: title, Text: said, Author: author, Link: "https://forum.example.cn/t/" + id, At: at})
	}
	post(9001, "", building, "论坛搬运工", ago(110)) // the same words in another place
	post(9002, home(3)+"暖气不热", home(3)+"1单元这边这几天暖气一直不热，客厅16度，打电话说派人了也没见人来。", "一米阳光", ago(100))
	post(9003, "供热企业探访", "记者走进热源厂，了解今冬备煤和检修情况。企业介绍，今年设备运行平稳。", "暖城晚报", ago(90))
	post(9004, "", home(4)+"的邻居们，你们家地暖热吗？我家卧室12度，老人都感冒了，有没有一起反映的。", "早起的鸟", ago(45))
	letters := []mailfake.Written{
		{
			From: "li.xiuying@example.cn", Name: "李秀英", Subject: "关于" + home(5) + "室温不达标的反映", ID: "1." + strconv.FormatInt(int64(now), 10) + "@example.cn", At: ago(130).Time(),
			Text: "您好：\r\n我住" + home(5) + "3号楼2单元402，入冬以来家里一直不热，白天16度，夜里15度。多次打电话没有结果，请派人来看看。\r\n谢谢。\r\n李秀英",
		},
		{
			From: "zhou@example.cn", Name: "周先生", Subject: "咨询停用手续", ID: "2." + strconv.FormatInt(int64(now), 10) + "@example.cn", At: ago(60).Time(),
			Text: "请问明年想停用供热，需要什么时候、带什么材料办理？",
		},
	}
	for _, l := range letters {
		l.To = Mailbox
		if err := o.Post.Deliver(Mailbox, l.Raw()); err != nil {
			return fmt.Errorf("deliver a letter: %w", err)
		}
	}
	return nil
}
