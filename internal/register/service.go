package register

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Options set up a Service. Patience and Batch may be left zero.
type Options struct {
	DB          *db.DB
	Ring        *secret.Ring
	Places      *place.Service
	Territories *territory.Service
	Patience    time.Duration // how long an import must be silent before another takes it over; 3 seconds
	Batch       int           // rows of a transaction; 400
}

// Service offers the use cases.
type Service struct {
	o Options

	mu    sync.Mutex
	still map[listOf]holder // of unfinished imports: how they stood at the last sweep
}

// listOf names a list of a city.
type listOf struct {
	city int
	kind place.Kind
}

// New makes the service.
func New(o Options) *Service {
	if o.Patience == 0 {
		o.Patience = 3 * time.Second
	}
	if o.Batch == 0 {
		o.Batch = 400
	}
	return &Service{o: o, still: map[listOf]holder{}}
}

// Import takes a list over, all of it or nothing. With faults the error is Invalid and the report names each of them.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Request, r io.Reader) (Report, error) {
	report := Report{Kind: in.Kind, DryRun: in.DryRun}
	only, err := mayImport(by, in)
	if err != nil {
		return report, err
	}
	if err := in.check(); err != nil {
		return report, err
	}
	file, hash, drop, err := spool(r)
	if err != nil {
		return report, err
	}
	defer drop()
	w := &work{s: s, by: by, in: in, only: only, file: file, report: &report}
	if err := w.prepare(ctx, hash); err != nil {
		return report, err
	}
	if err := w.hold(ctx, w.run); err != nil {
		return report, err
	}
	return report, w.compare(ctx)
}

// mayImport: who may edit duty rosters may also send them as a list, each for their own company; so with bills.
func mayImport(by actor.Actor, in Request) (only bool, err error) {
	err = by.May(actor.TerritoryImport, actor.On{City: in.City})
	if err != nil && in.Kind == place.Duty && by.MayAny(actor.DutyEdit, in.City) {
		return true, nil
	}
	if err != nil && in.Kind == place.Fees && by.MayAny(actor.FeeImport, in.City) {
		return by.May(actor.FeeImport, actor.On{City: in.City}) != nil, nil
	}
	return false, err
}

func (in Request) check() error {
	var c fault.Check
	c.That(in.City > 0, "city", "field.required")
	known := false
	for _, k := range place.Kinds() {
		known = known || in.Kind == k
	}
	c.That(known, "kind", "register.no_kind", "kind", string(in.Kind))
	c.That(len([]rune(in.Version)) <= 60, "version", "field.too_long", "max", 60)
	c.That(len([]rune(in.Source)) <= 500, "source", "field.too_long", "max", 500)
	return c.Err()
}

// spool makes the file readable twice and hashes it. A file on disk stays where it is; a stream is kept in a file that
// nobody else can read and that is gone when the import ends.
func spool(r io.Reader) (f io.ReadSeeker, hash string, drop func(), err error) {
	sum := sha256.New()
	if seeker, ok := r.(io.ReadSeeker); ok {
		if _, err := io.Copy(sum, seeker); err != nil {
			return nil, "", nil, fmt.Errorf("read the file: %w", err)
		}
		return seeker, hex.EncodeToString(sum.Sum(nil)), func() {}, nil
	}
	tmp, err := os.CreateTemp("", "rehu-import-*")
	if err != nil {
		return nil, "", nil, fmt.Errorf("keep the file while it is imported: %w", err)
	}
	drop = func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}
	if _, err := io.Copy(io.MultiWriter(tmp, sum), r); err != nil {
		drop()
		return nil, "", nil, fmt.Errorf("read the file: %w", err)
	}
	return tmp, hex.EncodeToString(sum.Sum(nil)), drop, nil
}

// work is one import.
type work struct {
	s      *Service
	by     actor.Actor
	in     Request
	only   bool
	file   io.ReadSeeker
	report *Report

	k    *known
	list list
	hash string
	me   string // this import's mark
	at   run
	over atomic.Bool // the run is being ended: that the list is free then is no loss
}

// prepare reads what the registers know. The hash covers the file and all that its reading depends on, so that a run is
// only resumed where its first half would read the same today.
func (w *work) prepare(ctx context.Context, hash string) error {
	w.me = mark()
	basis, err := db.Read(ctx, w.s.o.DB, func(tx *db.Tx) (string, error) {
		var err error
		if w.k, err = readKnown(ctx, tx, w.in); err != nil {
			return "", err
		}
		return basisIn(ctx, tx, w.in.City)
	})
	if err != nil {
		return fmt.Errorf("prepare an import: %w", err)
	}
	w.k.newID = w.s.o.DB.NewID
	sum := sha256.Sum256([]byte(fmt.Sprint(hash, w.in.Kind, w.k.version.Code, w.k.version.From, w.in.CRS, basis)))
	w.hash = hex.EncodeToString(sum[:])
	return nil
}

// mark names one import among all.
func mark() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// hold runs fn while this import alone owns the list, and tells others that it lives.
func (w *work) hold(ctx context.Context, fn func(context.Context) error) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	ctx, lose := context.WithCancelCause(ctx)
	beating, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.beat(beating, lose)
	}()
	err := fn(ctx)
	stop()
	<-done
	lost := errors.Is(err, errLost) || errors.Is(context.Cause(ctx), errLost)
	lose(nil)
	switch {
	case err == nil:
		return nil
	case lost:
		return fault.Wrap(err, fault.Conflict, "register.taken_over")
	}
	if released := w.release(context.WithoutCancel(ctx)); released != nil {
		return errors.Join(err, released)
	}
	return err
}

var errLost = errors.New("another process took the import over")

// beat shows that this import lives; when the list is no longer its own it stops.
func (w *work) beat(ctx context.Context, lose context.CancelCauseFunc) {
	t := time.NewTicker(max(w.s.o.Patience/10, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			err := db.Do(ctx, w.s.o.DB, w.mine(ctx))
			if errors.Is(err, errLost) && !w.over.Load() {
				lose(errLost)
				return
			}
		}
	}
}

// run is the import itself.
func (w *work) run(ctx context.Context) error {
	src, err := w.open()
	if err != nil {
		return w.give(ctx, err)
	}
	n, err := w.stage(ctx, src)
	if err != nil {
		return w.give(ctx, err)
	}
	w.report.Warnings = sortedByRow(n.warnings)
	if len(n.faults) > 0 {
		w.report.Faults = sortedByRow(n.faults)
		return w.give(ctx, fault.New(fault.Invalid, "register.faults", "count", len(n.faults)))
	}
	if src, err = w.open(); err != nil {
		return w.give(ctx, err)
	}
	if w.in.DryRun {
		if err := w.apply(ctx, src); err != nil {
			return err
		}
		return w.discard(ctx)
	}
	if err := w.apply(ctx, src); err != nil {
		return err
	}
	if err := w.publish(ctx); err != nil {
		return err
	}
	return w.clean(ctx)
}

// give drops what was staged when the file itself is at fault; what was cut short stays for the next run.
func (w *work) give(ctx context.Context, err error) error {
	if fault.Is(err, fault.Invalid) {
		if dropped := w.discard(ctx); dropped != nil {
			return errors.Join(err, dropped)
		}
	}
	return err
}
