package cases

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Attaching is the input of Attach: photographs that come by themselves, without a step of the case.
type Attaching struct {
	Act
	Photos []blob.Stored `json:"-" form:"-"`
}

// Attach adds photographs to a case, by whoever takes it in, handles it or verifies it.
func (s *Service) Attach(ctx context.Context, by actor.Actor, in Attaching) ([]blob.Blob, error) {
	if len(in.Photos) == 0 {
		var check fault.Check
		check.Add("photos", "field.required")
		return nil, check.Err()
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]blob.Blob, error) {
		c, err := s.GetIn(ctx, tx, by, in.City, in.ID)
		if err != nil {
			return nil, err
		}
		if err := mayAttach(by, c); err != nil {
			return nil, err
		}
		var out []blob.Blob
		for _, p := range in.Photos {
			b, err := s.o.Blobs.SaveIn(ctx, tx, by, p.For(c.Subject()))
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
		return out, audit.Record(ctx, tx, by, c.City, audit.Act{Subject: c.Subject(), Act: "case.attach", Body: map[string]any{"photos": len(out)}})
	})
}

// AttachRights are the permissions of which any lets somebody add photographs to a case of theirs.
func AttachRights() []actor.Permission {
	return []actor.Permission{actor.CaseHandle, actor.CaseAccept, actor.CaseVerify, actor.CaseOpen}
}

func mayAttach(by actor.Actor, c Case) error {
	var err error
	for _, p := range AttachRights() {
		if err = by.May(p, c.On()); err == nil {
			return nil
		}
	}
	return err
}
