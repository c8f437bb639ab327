package httpx

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Events is a stream of server-sent events to one browser.
type Events struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// sendTime is how long a browser may take to take one event; a dead one is let go.
const sendTime = 20 * time.Second

// StartEvents answers with a stream. The handler then sends until the request's context or Stopping ends it.
func StartEvents(w http.ResponseWriter) (*Events, error) {
	if err := Long(w); err != nil {
		return nil, err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	e := &Events{w: w, c: http.NewResponseController(w)}
	return e, e.Comment("hello")
}

// LastEventID is where a browser that reconnects left off.
func LastEventID(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); len(id) <= 100 && !strings.ContainsAny(id, "\x00\r\n") {
		return id
	}
	return ""
}

// Send sends one event; id and name may be empty.
func (e *Events) Send(id, name, data string, now time.Time) error {
	var b strings.Builder
	if id != "" {
		b.WriteString("id: " + oneLine(id) + "\n")
	}
	if name != "" {
		b.WriteString("event: " + oneLine(name) + "\n")
	}
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data), "\n") {
		b.WriteString("data: " + line + "\n")
	}
	_ = e.c.SetWriteDeadline(now.Add(sendTime)) // where it is not supported there is no limit
	return e.write(b.String() + "\n")
}

// Comment keeps the connection open through proxies; browsers ignore it.
func (e *Events) Comment(s string) error { return e.write(": " + oneLine(s) + "\n\n") }

func (e *Events) write(s string) error {
	if _, err := e.w.Write([]byte(s)); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	if err := e.c.Flush(); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	return nil
}

func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", "").Replace(s)
}
