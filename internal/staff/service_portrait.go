package staff

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Badge is what a resident may know of whoever comes to their door: the name as it stands on the badge, for whom they work,
// and their picture.
type Badge struct {
	ID       string `db:"id" json:"-"`
	Name     string `db:"name" json:"name"`
	Org      string `db:"org" json:"org"`
	Portrait string `db:"portrait" json:"-"` // an attachment; empty: none
}

// Shows reports whether an attachment is the picture of the badge.
func (b Badge) Shows(owner, attachment string) bool {
	return b.Portrait != "" && attachment == b.Portrait && owner == subject(b.ID)
}

// Badge gives the badge of somebody who works in a city. It is for whoever has shown that this person comes to their own home.
func (s *Service) Badge(ctx context.Context, city int, person string) (Badge, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Badge, error) {
		b, ok, err := badge(ctx, tx, city, person)
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "not_found")
		}
		return b, err
	})
}

// SetPortrait gives a person their picture, or takes it away when there is none. The person themself does it, or whoever
// manages their account; a person without a city comes to nobody's home.
func (s *Service) SetPortrait(ctx context.Context, by actor.Actor, person string, photo *blob.Stored) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := ownerOrManager(ctx, tx, by, person); err != nil {
			return err
		}
		a, err := find(ctx, tx, person)
		if err != nil {
			return err
		}
		if a.City == 0 {
			return fault.New(fault.Conflict, "staff.portrait_no_city")
		}
		kept := blob.Blob{}
		if photo != nil {
			if kept, err = s.o.Blobs.SaveIn(ctx, tx, by, photo.For(subject(person))); err != nil {
				return err
			}
		}
		if err := db.Guarded(ctx, tx, `UPDATE person SET portrait = $3, version = version + 1 WHERE id = $1 AND version = $2`, a.ID, a.Version, kept.ID); err != nil {
			return err
		}
		return note(ctx, tx, by, a.Person, "staff.portrait", map[string]any{"photo": kept.SHA256})
	})
}
