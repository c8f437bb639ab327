package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
)

// Who works at a job. A runner that runs as a server takes a name that no other process ever had and holds it for as long as
// it lives (db.Hold): a job of such a name is taken over as soon as nobody holds the name, and not before, however long the
// job takes. A runner that only works off what is due (RunDue) holds no name; its jobs are taken over when their lease ends.

// heldPrefix begins the names that are held.
const heldPrefix = "held:"

// certain is how long a name must be without a holder before its jobs are taken over. A process that lost its session with
// PostgreSQL notices within a second or, where nothing answers, within four, and gives its jobs up.
const certain = 5 * time.Second

// self is what a runner knows of itself: its name, and what is under way.
type self struct {
	mu    sync.Mutex
	name  string
	held  *db.Hold
	under map[string]work      // claimed jobs by their id
	gone  map[string]time.Time // names that nobody holds, and since when that is known
}

// work is a job that was claimed; stop is nil until it is begun.
type work struct {
	job  Job
	stop context.CancelFunc
}

func (r *Runner) identity() string {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	return r.self.name
}

// hold takes a name, or makes sure that the name is held still. A name that was lost is given up with everything that is
// under way: others take it over.
func (r *Runner) hold(ctx context.Context) {
	r.self.mu.Lock()
	held := r.self.held
	r.self.mu.Unlock()
	if held != nil {
		if held.Held(ctx) || ctx.Err() != nil {
			return
		}
		r.log.WarnContext(ctx, "jobs: cut off from the database, what is under way is given up")
		r.giveUp()
		held.Release()
	}
	name := heldPrefix + r.name + "-" + rand.Text()
	held, err := r.db.Hold(ctx, name)
	if err != nil {
		if ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: no name can be held, a crash is noticed only when leases end", "error", err)
		}
		return
	}
	r.self.mu.Lock()
	r.self.name, r.self.held = name, held
	r.self.mu.Unlock()
}

// giveUp stops what is under way under a name that was lost.
func (r *Runner) giveUp() {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	r.self.name, r.self.held = r.name, nil
	for id, w := range r.self.under {
		if w.stop != nil {
			w.stop()
		}
		delete(r.self.under, id)
	}
}

// letGo releases the name after the last job.
func (r *Runner) letGo() {
	r.self.mu.Lock()
	held := r.self.held
	r.self.name, r.self.held = r.name, nil
	r.self.mu.Unlock()
	if held != nil {
		held.Release()
	}
}

// note remembers what was claimed.
func (r *Runner) note(claimed []Job) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	for _, j := range claimed {
		r.self.under[j.ID] = work{job: j}
	}
}

// forget ends what note began.
func (r *Runner) forget(claimed []Job) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	for _, j := range claimed {
		if w := r.self.under[j.ID]; w.job.Attempt == j.Attempt {
			if w.stop != nil {
				w.stop()
			}
			delete(r.self.under, j.ID)
		}
	}
}

// begin gives the context of a job's work; false when the job was given up since it was claimed.
func (r *Runner) begin(ctx context.Context, j Job) (context.Context, bool) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	w, mine := r.self.under[j.ID]
	if !mine || j.Worker != r.self.name {
		return ctx, false
	}
	ctx, w.stop = context.WithCancel(ctx)
	r.self.under[j.ID] = w
	return ctx, true
}

// mine lists the ids of what is under way, as parameters from the number first on; a list is never empty.
func (r *Runner) mine(first int) (marks string, ids []any) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	list := []string{"''"}
	for id := range r.self.under {
		list = append(list, "$"+strconv.Itoa(first+len(ids)))
		ids = append(ids, id)
	}
	return strings.Join(list, ", "), ids
}

// renew lengthens the leases of what is under way once half of them is over.
func (r *Runner) renew(ctx context.Context) error {
	marks, ids := r.mine(4)
	if len(ids) == 0 {
		return nil
	}
	now := r.machine()
	args := append([]any{r.identity(), now.Add(r.lease).UnixMilli(), now.Add(r.lease / 2).UnixMilli()}, ids...)
	const which = `state = 'running' AND worker = $1 AND lease_until < $3 AND id IN (`
	short, err := db.Read(ctx, r.db, func(tx *db.Tx) (bool, error) {
		_, found, err := db.Maybe[string](ctx, tx, `SELECT id FROM job WHERE `+which+marks+`) AND $2 > 0 LIMIT 1`, args...)
		return found, err
	})
	if err != nil || !short {
		return err
	}
	return db.Do(ctx, r.db, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE job SET lease_until = $2 WHERE `+which+marks+`)`, args...)
		return err
	})
}

// reclaim returns to the queue what nobody works at: jobs whose holder is gone, and jobs whose lease ended and that no name
// holds, or this process's own name without that it works at them.
func (r *Runner) reclaim(ctx context.Context) error {
	now := r.machine().UnixMilli()
	type row struct {
		Worker string `db:"worker"`
		Ended  bool   `db:"ended"`
	}
	running, err := db.Read(ctx, r.db, func(tx *db.Tx) ([]row, error) {
		return db.List[row](ctx, tx, `SELECT COALESCE(worker, '') AS worker, MIN(lease_until) < $1 AS ended FROM job WHERE state = 'running' GROUP BY 1`, now)
	})
	if err != nil {
		return err
	}
	own := r.identity()
	ended := false
	seen := map[string]bool{}
	for _, w := range running {
		other := strings.HasPrefix(w.Worker, heldPrefix) && w.Worker != own
		if !other {
			ended = ended || w.Ended
			continue
		}
		seen[w.Worker] = true
		if err := r.inherit(ctx, w.Worker); err != nil {
			return err
		}
	}
	r.stillGone(seen)
	if !ended {
		return nil
	}
	marks, ids := r.mine(4)
	return db.Do(ctx, r.db, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, requeue+` AND lease_until < $2 AND (COALESCE(worker, '') NOT LIKE '`+heldPrefix+`%' OR worker = $3) AND id NOT IN (`+marks+`)`,
			append([]any{"lease expired", now, own}, ids...)...)
		return err
	})
}

// requeue lets jobs be worked at again; one that was tried often enough waits for a person.
const requeue = `UPDATE job SET state = CASE WHEN attempt >= max_attempt THEN 'dead' ELSE 'waiting' END, last_error = $1 WHERE state = 'running'`

// inherit takes over the jobs of a name that nobody has held for long enough.
func (r *Runner) inherit(ctx context.Context, worker string) error {
	return db.Do(ctx, r.db, func(tx *db.Tx) error {
		free, err := db.Abandoned(ctx, tx, worker)
		if err != nil {
			return fmt.Errorf("holder of jobs: %w", err)
		}
		if !free {
			r.back(worker)
			return nil
		}
		if !r.goneFor(worker, certain) {
			return nil
		}
		_, err = db.Exec(ctx, tx, requeue+` AND worker = $2`, "its process died", worker)
		return err
	})
}

// goneFor notes that nobody holds a name and reports whether that is so for a while.
func (r *Runner) goneFor(worker string, d time.Duration) bool {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	since, ok := r.self.gone[worker]
	if !ok {
		since = r.machine()
		r.self.gone[worker] = since
	}
	return r.machine().Sub(since) >= d
}

func (r *Runner) back(worker string) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	delete(r.self.gone, worker)
}

// stillGone forgets names without jobs.
func (r *Runner) stillGone(seen map[string]bool) {
	r.self.mu.Lock()
	defer r.self.mu.Unlock()
	for w := range r.self.gone {
		if !seen[w] {
			delete(r.self.gone, w)
		}
	}
}
