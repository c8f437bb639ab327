package app

import (
	"context"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/db"
)

// channels makes the service of the channels and joins every adapter of the program.
func (a *App) channels() (err error) {
	a.Channels, err = channel.New(channel.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Credentials: a.Config.Credentials, Machine: a.o.Machine, Log: a.Log,
	})
	if err != nil {
		return err
	}
	a.Clues, err = clue.New(clue.Options{
		DB: a.DB, Channels: a.Channels, Cases: a.Cases, Rules: a.Rules.RulesIn, Attribute: a.Territory.AttributeIn,
	})
	if err != nil {
		return err
	}
	for _, one := range a.Clues.Adapters(clue.NewWeibo(nil), clue.NewFeeds()) {
		a.Channels.Join(one)
	}
	a.offerAnswers()
	return nil
}

// ends are the steps with which a resident's matter is over.
var ends = map[cases.Event]bool{cases.Answer: true, cases.Reject: true, cases.Close: true, cases.Terminate: true, cases.Withdraw: true}

// offerAnswers lets whoever wrote the post behind a case be answered when it is closed.
func (a *App) offerAnswers() {
	told := a.Cases.Heard
	a.Cases.Heard = func(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
		if !c.Open && ends[e] {
			if err := a.Clues.Closed(ctx, tx, c); err != nil {
				return err
			}
		}
		if told == nil {
			return nil
		}
		return told(ctx, tx, c, e)
	}
}
