package app

import (
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/notice"
)

// telephone joins the switch, where there is one, to the cases that calls become.
func (a *App) telephone() (*call.Service, error) {
	o := call.Options{DB: a.DB, Ring: a.Ring, Cases: a.Cases, Places: a.Places, Outages: a.Outages, Territory: a.Territory}
	if c := a.Config.CTI; c.URL != "" {
		signer := notice.Signer{Account: c.Account, Secret: c.Secret, Machine: a.o.Machine}
		s, err := call.NewHTTPSwitch(call.SwitchConfig{URL: c.URL, Signer: signer})
		if err != nil {
			return nil, err
		}
		o.Switch, o.Inbound = s, &signer
	}
	return call.New(o)
}
