package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Times of a server: a header must come soon, a body within minutes (photographs over a slow line), an answer within a
// minute unless it streams.
const (
	headerTime = 10 * time.Second
	bodyTime   = 5 * time.Minute
	answerTime = 6 * time.Minute
	idleTime   = 2 * time.Minute
)

// Serve answers on a listener until ctx ends, then lets requests finish for at most grace. Streams are told at once
// (Stopping).
func Serve(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	stopping := make(chan struct{})
	base := context.WithValue(context.WithoutCancel(ctx), keyStopping, (<-chan struct{})(stopping))
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	} // broken connections are no news
	s.RegisterOnShutdown(func() { close(stopping) })
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.Shutdown(end); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off: %w", err), s.Close())
	}
	return nil
}

// Stopping is closed when the server begins to stop; a stream ends then.
func Stopping(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(keyStopping).(<-chan struct{})
	return c // nil never closes
}

// Long lifts the time limits of a request, for an export or a stream that may take as long as its reader.
func Long(w http.ResponseWriter) error {
	c := http.NewResponseController(w)
	if err := errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("lift the time limits: %w", err)
	}
	return nil
}
