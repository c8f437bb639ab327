package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// jobRoutes are the pages of background work.
func (w *Web) jobRoutes() []Route {
	if w.Jobs == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/jobs", may(actor.JobRead), w.jobs),
		post("/c/{city}/jobs/{job}/retry", may(actor.JobRetry), w.retryJob),
	}
}

type jobsView struct {
	City     int
	Filter   jobs.Filter
	List     page.Of[jobs.Job]
	Counts   []jobs.Count
	MayRetry bool
}

func (w *Web) jobs(rw http.ResponseWriter, r *http.Request) error {
	f, err := httpx.Bind[jobs.Filter](r)
	if err != nil {
		return err
	}
	v := jobsView{City: httpx.City(r.Context()), Filter: f}
	v.MayRetry = by(r).MayAny(actor.JobRetry, v.City)
	if v.Counts, err = w.Jobs.Counts(r.Context(), by(r), v.City); err != nil {
		return err
	}
	if v.List, err = w.Jobs.List(r.Context(), by(r), v.City, f); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.jobs"), Nav: "jobs", Body: jobsBody(v)})
}

func (w *Web) retryJob(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	err := w.Jobs.Retry(r.Context(), by(r), city, param(r, "job"))
	return w.after(rw, r, err, at("/c/{city}/jobs?state=waiting", city), "web.jobs.retried")
}

func jobStates() []jobs.State {
	return []jobs.State{jobs.Waiting, jobs.Running, jobs.Done, jobs.Dead}
}

// stats are the totals of the states, each a filter.
func (v jobsView) stats(ctx context.Context) []ui.Stat {
	icons := map[jobs.State]string{jobs.Waiting: "clock", jobs.Running: "cpu", jobs.Done: "circle-check", jobs.Dead: "triangle-alert"}
	var out []ui.Stat
	for _, s := range jobStates() {
		var n int64
		for _, c := range v.Counts {
			if c.State == s {
				n += c.N
			}
		}
		one := ui.Stat{Icon: icons[s], Key: "web.jobs.state." + string(s), Value: strconv.FormatInt(n, 10), Href: ui.PageLink(ctx, "state", string(s)), Current: v.Filter.State == s}
		if s == jobs.Dead && n > 0 {
			one.Tone = ui.Red
		}
		out = append(out, one)
	}
	return out
}

func (v jobsView) kinds(ctx context.Context) []ui.Option {
	var out []ui.Option
	last := ""
	for _, c := range v.Counts { // sorted by kind
		if c.Kind != last {
			out = append(out, ui.Option{Value: c.Kind, Text: jobName(ctx, c.Kind)})
		}
		last = c.Kind
	}
	return out
}

func stateOptions() []ui.Option {
	var out []ui.Option
	for _, s := range jobStates() {
		out = append(out, ui.Option{Value: string(s), Key: "web.jobs.state." + string(s)})
	}
	return out
}

// jobName is the word for a kind of job, "job.<kind>"; the kind itself where there is none.
func jobName(ctx context.Context, kind string) string {
	if text.Has("job." + kind) {
		return ui.T(ctx, "job."+kind)
	}
	return kind
}

func jobTone(s jobs.State) ui.Tone {
	switch s {
	case jobs.Waiting:
		return ui.Blue
	case jobs.Running:
		return ui.Teal
	case jobs.Done:
		return ui.Green
	case jobs.Dead:
		return ui.Red
	}
	return ui.Grey
}
