package app

import (
	"fmt"

	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/notice"
)

// StopPath is the page on which whoever holds a letter of ours stops such letters.
const StopPath = "/c/%d/stop/%s"

// letters joins the mailboxes: as a channel, and as a way for messages.
func (a *App) letters() (err error) {
	a.Mail, err = mail.New(mail.Options{
		DB: a.DB, Ring: a.Ring, Channels: a.Channels, Cases: a.Cases, Clues: a.Clues, Notices: a.Notices, Blobs: a.Blobs, Machine: a.o.Machine, Log: a.Log,
		Stop:    func(city int, token string) string { return a.Config.PublicURL + fmt.Sprintf(StopPath, city, token) },
		Receipt: a.receiptLink, Told: a.tellUnit,
	})
	if err != nil {
		return err
	}
	a.Channels.Join(a.Mail.Adapter())
	a.Channels.OnCase = a.Mail.OnCase
	a.gateways[notice.Email] = a.Mail.Gateway()
	return nil
}
