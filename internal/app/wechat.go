package app

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
)

// EntrancePath is the page on which a login link from WeChat is used.
const EntrancePath = "/c/%d/m/w/%s"

// weChat joins the official accounts and mini programs: as a channel, as a way for messages, and as a login.
func (a *App) weChat() (err error) {
	a.WeChat, err = wechat.New(wechat.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Client: wechat.NewClient(nil), Channels: a.Channels, Residents: a.Residents, Cases: a.Cases,
		Notices: a.Notices, Blobs: a.Blobs, Machine: a.o.Machine, Log: a.Log, Rules: a.Rules.RulesIn, Attribute: a.Territory.AttributeIn,
		Company: a.companyIn,
		Receipt: func(city int, token string) string { return a.Config.PublicURL + fmt.Sprintf(ReceiptPath, city, token) },
		Entrance: func(city int, ticket string) string {
			return a.Config.PublicURL + fmt.Sprintf(EntrancePath, city, ticket)
		},
	})
	if err == nil {
		a.gateways[notice.WeChat] = a.WeChat.Gateway()
	}
	return err
}

// companyIn is a company's name in a language.
func (a *App) companyIn(ctx context.Context, tx *db.Tx, city int, code string, l text.Lang) string {
	if o, ok, err := a.Staff.Organisation(ctx, tx, city, code); err == nil && ok {
		if l == text.EN && o.NameEN != "" {
			return o.NameEN
		}
		return o.NameZH
	}
	return code
}

// waysTo is how a person can be told of a matter besides the telephone, the best way first: by WeChat, where they bound it
// and allow it, by a notification in a browser in which they allowed it, or by a letter to the address that they gave and
// confirmed. One of them is tried; the telephone is the other.
func (a *App) waysTo(ctx context.Context, tx *db.Tx, city int, person, template string) ([]notice.Address, error) {
	if a.WeChat != nil {
		ok, err := a.WeChat.Reach(ctx, tx, city, person, template)
		if err != nil || ok {
			return []notice.Address{{Channel: notice.WeChat, To: person}}, err
		}
	}
	if a.Push != nil {
		ok, err := a.Push.Reach(ctx, tx, city, person, template)
		if err != nil || ok {
			return []notice.Address{{Channel: notice.WebPush, To: person}}, err
		}
	}
	if a.Mail == nil {
		return nil, nil
	}
	to, err := a.Mail.ReachIn(ctx, tx, city, person)
	if err != nil || to == "" {
		return nil, err
	}
	return []notice.Address{{Channel: notice.Email, To: to}}, nil
}
