package demo

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// The app ids of the demonstration's accounts; their secrets are new each time it starts.
const (
	OfficialID = "wx990100official"
	MiniID     = "wx990100miniprog"
)

// WeChatCredential is the name under which the installation finds the credential of an account.
func WeChatCredential(app wechat.App) string { return "demo_wechat_" + string(app) }

const keywords = "values: {character_string1: \"{no}\", thing2: \"{text}\"}"

// templates are what the demonstration's accounts can send, by the key of the text.
var templates = []string{"message.case.dispatch", "message.case.feed_back", "message.case.close", "message.case.answer", "message.case.reopen"}

// NewWeChat makes the WeChat of the demonstration; machine is machine time.
func NewWeChat(machine func() time.Time) (*wechatfake.Server, error) {
	of := map[string][]string{}
	for _, key := range templates {
		of[templateID(key)] = []string{"character_string1", "thing2"}
	}
	var all []wechatfake.Account
	for app, id := range map[wechat.App]string{wechat.Official: OfficialID, wechat.Mini: MiniID} {
		all = append(all, wechatfake.NewAccount(app, id, of))
	}
	return wechatfake.New(machine, all...)
}

func templateID(key string) string { return "tpl." + key }

// Credential is an account's credential as it stands in the environment; api is where the fake answers.
func Credential(f *wechatfake.Server, app wechat.App, api string) string {
	id := map[wechat.App]string{wechat.Official: OfficialID, wechat.Mini: MiniID}[app]
	v := url.Values{wechat.CredentialAPI: {api}, "fake": {"1"}}
	for k, s := range f.Credential(id) {
		v.Set(k, s)
	}
	return v.Encode()
}

func settingsOf(app wechat.App) map[string]string {
	kind, page := wechat.TemplateMessage, ""
	set := map[string]string{wechat.SettingApp: string(app), wechat.SettingAppID: OfficialID, wechat.SettingOriginal: "gh_" + OfficialID}
	if app == wechat.Mini {
		kind, page = wechat.SubscribeMessage, "pages/case/case?token={token}"
		set[wechat.SettingAppID], set[wechat.SettingOriginal] = MiniID, "gh_"+MiniID
	} else {
		for _, key := range []string{"report", "progress", "hall"} {
			set[wechat.SettingMenu] += fmt.Sprintf("- {name: %s, key: %s}\n", text.T(text.ZH, "demo.wechat.menu."+key), key)
		}
	}
	for _, key := range templates {
		set[wechat.SettingTemplates] += fmt.Sprintf("%s: {id: %s, kind: %s, page: %q, %s}\n", key, templateID(key), kind, page, keywords)
	}
	return set
}

// JoinWeChat sets the accounts up in the register of channels and points the fake at the installation.
func JoinWeChat(ctx context.Context, a *app.App, f *wechatfake.Server, at string) error {
	have, err := db.Read(ctx, a.DB, func(tx *db.Tx) ([]channel.Account, error) { return a.Channels.AccountsIn(ctx, tx, sim.Code) })
	if err != nil {
		return err
	}
	for app, id := range map[wechat.App]string{wechat.Official: OfficialID, wechat.Mini: MiniID} {
		in := channel.AccountInput{
			City: sim.Code, Channel: cases.WeChat, Name: string(app), Title: text.T(text.ZH, "demo.wechat."+string(app)), Credential: WeChatCredential(app),
			Settings: settingsOf(app), Enabled: true,
		}
		if i := slices.IndexFunc(have, func(o channel.Account) bool { return o.Channel == cases.WeChat && o.Name == in.Name }); i >= 0 {
			in.Version = have[i].Version
		}
		if _, err := a.Channels.SetAccount(ctx, owner, in); err != nil {
			return fmt.Errorf("set up the %s account of WeChat: %w", app, err)
		}
		f.PointTo(id, fmt.Sprintf("%s/c/%d/hooks/wechat/%s", at, sim.Code, app))
	}
	return a.WeChat.SetMenu(ctx, owner, sim.Code)
}

// FollowWeChat lets a few residents write, each a conversation of its own; the city answers as it would anybody.
func FollowWeChat(ctx context.Context, f *wechatfake.Server, o Options) error {
	o = o.withDefaults()
	c := sim.NewCity(o.Seed, o.Households)
	for i, said := range [][]string{
		{"家里不热", c.Communities[0].Name + "1号楼1单元101", "13800990001", "2", "1"},
		{"暖气漏水了", c.Communities[1].Name + "2号楼1单元201", "13800990002"},
		{"你好", "进度"},
	} {
		who := fmt.Sprintf("oDemoFollower%03d", i)
		if _, err := f.Follow(ctx, OfficialID, who); err != nil {
			return err
		}
		for _, s := range said {
			if _, err := f.Write(ctx, OfficialID, who, s); err != nil {
				return err
			}
		}
	}
	return nil
}
