package app

import "github.com/rehu-heat/rehu/internal/channel"

// channels makes the service of the channels and joins every adapter of the program.
func (a *App) channels() (err error) {
	a.Channels, err = channel.New(channel.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Credentials: a.Config.Credentials, Machine: a.o.Machine, Log: a.Log,
	})
	return err
}
