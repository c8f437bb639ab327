package app

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// served is the cities of this installation, as last read.
type served struct{ list atomic.Pointer[[]int] }

func (s *served) get() []int {
	if p := s.list.Load(); p != nil {
		return *p
	}
	return nil
}

// Cities lists the codes of the cities that this process serves.
func (a *App) Cities() []int { return a.cities.get() }

// AddCity makes the installation serve a city.
func (a *App) AddCity(ctx context.Context, city int) error {
	if err := a.Rules.EnsureCity(ctx, city); err != nil {
		return err
	}
	return a.readCities(ctx)
}

// serveCities adds the cities of the settings and reads which there are.
func (a *App) serveCities(ctx context.Context) error {
	for _, city := range a.Config.Cities {
		if err := a.Rules.EnsureCity(ctx, city); err != nil {
			return fmt.Errorf("serve city %d: %w", city, err)
		}
	}
	return a.readCities(ctx)
}

func (a *App) readCities(ctx context.Context) error {
	list, err := a.Rules.Served(ctx)
	if err != nil {
		return fmt.Errorf("read the cities: %w", err)
	}
	if len(a.Config.Cities) > 0 {
		list = slices.DeleteFunc(list, func(city int) bool { return !slices.Contains(a.Config.Cities, city) })
	}
	a.cities.list.Store(&list)
	return nil
}

func (a *App) watchCities(ctx context.Context) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := a.readCities(ctx); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "cities not read", "error", err)
			}
		}
	}
}
