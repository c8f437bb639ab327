package web

import (
	"errors"
	"fmt"
	"sync"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
)

// liveBatch is what changed between two questions, the same for every reader of a city, with the answers that readers who
// ask the same may share: two hundred seats that look at one list ask the database once. An answer hangs on its batch, so
// that none is older than the change that it goes with.
type liveBatch struct {
	changes []caseChange

	mu      sync.Mutex
	answers map[string]*liveAnswer
}

// liveAnswer is asked for by whoever comes first; the others wait.
type liveAnswer struct {
	once sync.Once
	got  any
	err  error
}

var errUnanswered = errors.New("whoever asked for all readers did not come back")

// liveKey names everything that an answer about cases depends on: what its reader may see, and what was asked. Whoever sees
// less than another has another key and never gets the other's answer.
func liveKey(what string, who actor.Actor, city int, f cases.Filter) string {
	var sees any = who.ScopeOf(actor.CaseRead, city)
	if f.Flag == "staff" {
		sees = who // whom a complaint about staff is kept from hangs on the person, the unit and every role
	}
	return fmt.Sprintf("%s %#v %#v", what, sees, f)
}

// sharedAnswer gives the answer that hangs on the batch under a key.
func sharedAnswer[T any](b *liveBatch, key string, ask func() (T, error)) (T, error) {
	b.mu.Lock()
	a := b.answers[key]
	if a == nil {
		if b.answers == nil {
			b.answers = map[string]*liveAnswer{}
		}
		a = &liveAnswer{}
		b.answers[key] = a
	}
	b.mu.Unlock()
	a.once.Do(func() {
		a.err = errUnanswered // unless asking comes to an end
		a.got, a.err = ask()
	})
	got, _ := a.got.(T) // nothing where asking failed
	return got, a.err
}
