package app

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/territory"
)

// rulesNow gives a city's rules to a part that asks outside of any request; they come from memory unless they are new.
func (a *App) rulesNow(city int) (*citypack.Rules, error) {
	ctx, cancel := context.WithTimeout(context.Background(), rulesTime)
	defer cancel()
	return a.Rules.Rules(ctx, city)
}

// packValues are the values of a city's pack that a bundle explains its entries with.
func (a *App) packValues(city int) []citypack.Value {
	r, err := a.rulesNow(city)
	if err != nil {
		return nil
	}
	return r.Pack.Values()
}

// attributionSettings are what a city's pack says about attribution.
func (a *App) attributionSettings(city int, at civil.Instant) territory.Settings {
	r, err := a.rulesNow(city)
	if err != nil {
		return territory.Settings{}
	}
	o := r.Pack.Options(at)
	return territory.Settings{Margin: float64(o.BorderMetres), MinConfidence: number(o.MinConfidence), Lead: number(o.MinLead), Generic: r.Pack.Generic(at)}
}

func number(d citypack.Decimal) float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return 0 // the pack does not say
	}
	return f
}

func (a *App) notices() (*notice.Service, error) {
	gateways := make(map[notice.Channel]notice.Gateway)
	a.gateways = gateways // capabilities that come later add their own
	o := notice.Options{DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Gateways: gateways, Night: a.night, Link: a.answerLink, Reach: a.waysTo}
	if c := a.Config.SMS; c.Price != "" {
		o.Price = map[notice.Channel]string{notice.SMS: c.Price}
	}
	o.Sign = a.Config.SMS.Sign
	switch c := a.Config.SMS; {
	case c.Kind == config.SMSAliyun:
		gateway, err := notice.NewAliyunGateway(notice.AliyunConfig{URL: c.URL, KeyID: c.Account, Secret: c.Secret, Sign: c.Sign, Machine: a.o.Machine})
		if err != nil {
			return nil, err
		}
		gateways[notice.SMS] = gateway
	case c.URL != "":
		signer := notice.Signer{Account: c.Account, Secret: c.Secret, Machine: a.o.Machine}
		gateway, err := notice.NewSMSGateway(notice.SMSConfig{URL: c.URL, Signer: signer, Sign: c.Sign})
		if err != nil {
			return nil, err
		}
		gateways[notice.SMS], o.Inbound = gateway, &signer
	}
	return notice.New(o)
}

// night are the hours in which a city sends only what cannot wait.
func (a *App) night(ctx context.Context, tx *db.Tx, city int) (notice.Night, error) {
	r, err := a.Rules.RulesIn(ctx, tx, city)
	if err != nil {
		return notice.Night{}, err
	}
	o := r.Pack.Options(tx.Now)
	return notice.Night{From: o.NightFrom, To: o.NightTo}, nil
}

// AnswerPath is the page on which a resident answers a question.
const AnswerPath = "/c/%d/answer/%s"

func (a *App) answerLink(city int, token string) string {
	return a.Config.PublicURL + fmt.Sprintf(AnswerPath, city, token)
}
