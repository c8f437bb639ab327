package app

import (
	"fmt"

	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/webpush"
)

// The pages that a notification leads to, and that takes a device's word that it showed one.
const (
	PushHomePath = "/c/%d/m/home"
	PushTellPath = "/c/%d/m/push/shown"
)

// push joins notifications in residents' own browsers as a way for messages, where the operator has made a key.
func (a *App) push() error {
	c := a.Config.Push
	if c.Key == "" {
		return nil
	}
	key, err := webpush.ParseKey(c.Key)
	if err != nil {
		return fmt.Errorf("push.key: %w", err)
	}
	allow, err := a.Config.PushNets()
	if err != nil {
		return err
	}
	a.Push, err = webpush.New(webpush.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Residents: a.Residents, Notices: a.Notices, Key: key, Contact: c.Contact, Allow: allow, Title: a.Config.SMS.Sign,
		Machine: a.o.Machine, Log: a.Log,
		Home: func(city int) string { return fmt.Sprintf(PushHomePath, city) },
		Tell: func(city int) string { return fmt.Sprintf(PushTellPath, city) },
	})
	if err != nil {
		return err
	}
	a.Residents.OnLeave = a.Push.Left
	a.gateways[notice.WebPush] = a.Push.Gateway()
	return nil
}
