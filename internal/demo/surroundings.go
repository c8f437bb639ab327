package demo

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/weather"
)

// surround imports what lies under the city's map.
func surround(ctx context.Context, a *app.App, c *sim.City) error {
	var b bytes.Buffer
	if err := c.BaseMap(&b); err != nil {
		return fmt.Errorf("draw the base map: %w", err)
	}
	_, err := a.BaseMaps.Replace(ctx, owner, basemap.Replacing{City: sim.Code, Body: b.Bytes(), Source: "demonstration"})
	if err != nil {
		return fmt.Errorf("import the base map: %w", err)
	}
	return nil
}

// measured is how many days of weather a screen may ask for.
const measured = 14

// reportWeather records the temperatures of the days before an instant, and that of its hour.
func reportWeather(ctx context.Context, a *app.App, w *sim.Weather, days int, till civil.Instant) error {
	in := weather.Record{City: sim.Code, Source: "demonstration"}
	for at := till.Date().AddDays(-days).Start(); !at.After(till); at = at.Add(time.Hour) {
		in.Readings = append(in.Readings, weather.Reading{At: at, C: w.At(at)})
	}
	if err := a.Weather.Record(ctx, owner, in); err != nil {
		return fmt.Errorf("record the weather: %w", err)
	}
	return nil
}

// hourly records the temperature of each hour as it comes.
func (s *season) hourly(ctx context.Context) error {
	s.later(s.now.Add(time.Hour), s.hourly)
	return reportWeather(ctx, s.app, s.w.Weather, 0, s.now)
}
