package channel

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Channels lists the channels that have an adapter, in the order of the form.
func (s *Service) Channels() []cases.Channel {
	var out []cases.Channel
	for _, c := range cases.Channels() {
		if _, ok := s.adapters[c]; ok {
			out = append(out, c)
		}
	}
	return out
}

// SetAccount sets an account up or changes it. Its credential stays where it is: in the environment.
func (s *Service) SetAccount(ctx context.Context, by actor.Actor, in AccountInput) (Account, error) {
	if err := by.May(actor.ChannelManage, actor.On{City: in.City}); err != nil {
		return Account{}, err
	}
	in.Title, in.Name, in.Credential = strings.TrimSpace(in.Title), strings.TrimSpace(in.Name), strings.TrimSpace(in.Credential)
	if err := in.Check(); err != nil {
		return Account{}, err
	}
	if !slices.Contains(s.Channels(), in.Channel) {
		var c fault.Check
		c.Add("channel", "channel.no_adapter")
		return Account{}, c.Err()
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Account, error) {
		a, err := s.setAccount(ctx, tx, in)
		if err != nil {
			return a, err
		}
		body := map[string]any{"title": a.Title, "credential": a.Credential, "enabled": a.Enabled}
		return a, audit.Record(ctx, tx, by, a.City, audit.Act{Subject: a.Subject(), Act: "channel.account", Body: body})
	})
}

func (s *Service) setAccount(ctx context.Context, tx *db.Tx, in AccountInput) (Account, error) {
	if in.Version == 0 {
		a := Account{
			City: in.City, Channel: in.Channel, Name: in.Name, Title: in.Title, Credential: in.Credential, Settings: in.Settings, Enabled: in.Enabled,
			NextPoll: tx.Now, Version: 1,
		}
		return a, insertAccount(ctx, tx, a)
	}
	a, err := findAccount(ctx, tx, in.City, in.Channel, in.Name)
	if err != nil {
		return a, err
	}
	a.Title, a.Credential, a.Enabled, a.NextPoll = in.Title, in.Credential, in.Enabled, tx.Now
	if in.Settings != nil {
		a.Settings = in.Settings
	}
	return updateAccount(ctx, tx, a, in.Version)
}

// Switching turns an account on or off.
type Switching struct {
	City    int           `json:"-" form:"-"`
	Channel cases.Channel `json:"channel" form:"channel"`
	Name    string        `json:"name" form:"name"`
	Enabled bool          `json:"enabled" form:"enabled"`
	Version int64         `json:"version" form:"version"`
}

// Switch turns an account on or off: nothing is polled, pushed or answered while it is off, and nothing is lost.
func (s *Service) Switch(ctx context.Context, by actor.Actor, in Switching) (Account, error) {
	if err := by.May(actor.ChannelManage, actor.On{City: in.City}); err != nil {
		return Account{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Account, error) {
		a, err := findAccount(ctx, tx, in.City, in.Channel, in.Name)
		if err != nil {
			return a, err
		}
		a.Enabled, a.NextPoll, a.Failures = in.Enabled, tx.Now, 0
		if a, err = updateAccount(ctx, tx, a, in.Version); err != nil {
			return a, err
		}
		return a, audit.Record(ctx, tx, by, a.City, audit.Act{Subject: a.Subject(), Act: "channel.account", Body: map[string]any{"enabled": a.Enabled}})
	})
}

// AccountsIn lists the accounts of a city, for a capability that runs one of its channels.
func (s *Service) AccountsIn(ctx context.Context, tx *db.Tx, city int) ([]Account, error) {
	return listAccounts(ctx, tx, city)
}

// Health shows how every account of a city does.
func (s *Service) Health(ctx context.Context, by actor.Actor, city int) ([]Health, error) {
	if err := by.May(actor.ChannelRead, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Health, error) {
		rows, err := listAccounts(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		today, err := todays(ctx, tx, city, tx.Now.Date().Start())
		if err != nil {
			return nil, err
		}
		out := make([]Health, len(rows))
		for i, a := range rows {
			out[i] = s.health(a, today[string(a.Channel)+"/"+a.Name])
		}
		return out, nil
	})
}

func (s *Service) health(a Account, today Today) Health {
	ad, joined := s.adapters[a.Channel]
	on := a
	on.Enabled = true
	acc, err := s.access(on)
	return Health{
		Account: a, Today: today, Joined: joined, Ready: err == nil, CanPoll: ad.Poller != nil, CanReply: ad.Sender != nil, Fake: acc.Credential.Fake(),
	}
}
