package cli

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
)

// metrics is what the operator's monitoring reads.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *app.App) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "rehu_http_request_seconds", Help: "Requests by route, method and status.",
		Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"route", "method", "status"})}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "rehu_build_info", Help: "The program that runs.", ConstLabels: prometheus.Labels{"version": a.Version(), "engine": string(a.DB.Engine())}})
	build.Set(1)
	m.registry.MustRegister(m.requests, build, newQueue(a), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// queue counts jobs and asks whether the database answers, each time the metrics are read.
type queue struct {
	a    *app.App
	jobs *prometheus.Desc
	up   *prometheus.Desc
	hall *prometheus.Desc
}

func newQueue(a *app.App) *queue {
	return &queue{
		a:    a,
		jobs: prometheus.NewDesc("rehu_jobs", "Background jobs by city, kind and state.", []string{"city", "kind", "state"}, nil),
		up:   prometheus.NewDesc("rehu_database_up", "Whether the database answers.", nil, nil),
		hall: prometheus.NewDesc("rehu_resident_events_total", "Codes, logins and bound homes of residents, and what was refused, since this process began.", []string{"event"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (q *queue) Describe(ch chan<- *prometheus.Desc) { ch <- q.jobs; ch <- q.up; ch <- q.hall }

// Collect implements prometheus.Collector.
func (q *queue) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second) //nolint:forbidigo // a scrape hands no context on
	defer cancel()
	up := 0.0
	if q.a.Ready(ctx) == nil {
		up = 1
		by := actor.SystemFor("metrics", actor.Job)
		for _, city := range append([]int{0}, q.a.Cities()...) {
			counts, err := q.a.Jobs.Counts(ctx, by, city)
			if err != nil {
				up = 0
				break
			}
			for _, c := range counts {
				ch <- prometheus.MustNewConstMetric(q.jobs, prometheus.GaugeValue, float64(c.N), strconv.Itoa(city), c.Kind, string(c.State))
			}
		}
	}
	for e, n := range q.a.Residents.Counts() {
		ch <- prometheus.MustNewConstMetric(q.hall, prometheus.CounterValue, float64(n), string(e))
	}
	ch <- prometheus.MustNewConstMetric(q.up, prometheus.GaugeValue, up)
}
