package bulletin

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// telling is the job that brings a bulletin to its households.
type telling struct {
	City int    `json:"city"`
	ID   string `json:"id"`
}

// Kind implements jobs.Args.
func (telling) Kind() string { return "bulletin.tell" }

// atOnce is how many households a transaction tells: few enough that nobody waits for the writer.
const atOnce = 40

var machine = actor.SystemFor("bulletin", actor.Job)

// tell goes through the households of a bulletin, some at a time. Cut short, it goes on where it was; a household that was
// told is not told again, since each person is one matter of the bulletin.
func (s *Service) tell(ctx context.Context, _ jobs.Job, a telling) error {
	for {
		done, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) { return s.tellSome(ctx, tx, a) })
		if err != nil || done {
			return err
		}
	}
}

func (s *Service) tellSome(ctx context.Context, tx *db.Tx, a telling) (done bool, err error) {
	b, err := find(ctx, tx, a.City, a.ID)
	if err != nil || b.State != Sending {
		return true, err
	}
	if b.Stretch >= len(b.Stretches) || !tx.Now.Before(b.Until) { // nobody is told what no longer holds
		b.State, b.ToldAt = Told, tx.Now
		if b, err = save(ctx, tx, b, b.Version); err != nil {
			return false, err
		}
		return true, s.note(ctx, tx, machine, b, "bulletin.finish")
	}
	was := b
	homes, err := s.o.Places.HomesAfterIn(ctx, tx, b.City, b.Stretches[b.Stretch], b.After, atOnce)
	if err != nil {
		return false, err
	}
	if len(homes) == 0 {
		b.Stretch, b.After = b.Stretch+1, ""
	} else {
		if err := s.tellHomes(ctx, tx, &b, homes); err != nil {
			return false, err
		}
		b.After = homes[len(homes)-1].Account
	}
	return false, advance(ctx, tx, b, was)
}

// matters is what the matters of a bulletin's messages begin with.
func (b Bulletin) matters() string { return "bulletin:" + b.ID + ":" }

func (s *Service) tellHomes(ctx context.Context, tx *db.Tx, b *Bulletin, homes []place.Home) error {
	accounts := make([]string, len(homes))
	for i, h := range homes {
		accounts[i] = h.Account
	}
	var phones []string
	err := s.o.Places.EachPlainIn(ctx, tx, b.City, accounts, func(_ place.HouseholdRow, c place.Contact) {
		if phone := secret.NormalPhone(c.Phone); secret.IsMobile(phone) {
			phones = append(phones, phone)
		}
	})
	if err != nil {
		return err
	}
	b.Reached += len(phones)
	b.Unreached += len(homes) - len(phones)
	for _, phone := range phones {
		p, err := secret.Subject(ctx, tx, s.o.Ring, b.City, secret.Phone, phone)
		if err != nil {
			return fmt.Errorf("find a household's person: %w", err)
		}
		_, err = s.o.Notices.EnqueueIn(ctx, tx, machine, notice.Message{
			City: b.City, Channel: notice.SMS, Person: p.ID, To: phone, Template: template, Params: map[string]any{"text": b.TextZH}, Lang: text.ZH,
			Matter: b.matters() + p.ID, Class: notice.Bulletin, QuietExempt: b.Kind.urgent(), Until: b.Until,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
