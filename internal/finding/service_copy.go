package finding

import (
	"context"
	"crypto/subtle"
	"strconv"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// copyKeyLength is how much of the keyed hash a link carries: 128 bits, which nobody guesses.
const copyKeyLength = 32

// CheckKey is what the link on an issued paper holds beside the finding's id: whoever has the paper can check it there.
func (s *Service) CheckKey(city int, id string) string {
	return s.o.Ring.Blind("finding.check", strconv.Itoa(city)+"/"+id)[:copyKeyLength]
}

// Checked is an issued paper as the platform keeps it, for whoever holds its link; the applicant's name is masked.
type Checked struct {
	Finding
	Sheet paper.Document
}

// Check gives the paper that a link belongs to. A finding without a paper has no link.
func (s *Service) Check(ctx context.Context, city int, id, key string, l text.Lang) (Checked, error) {
	if subtle.ConstantTimeCompare([]byte(key), []byte(s.CheckKey(city, id))) != 1 {
		return Checked{}, fault.New(fault.NotFound, "not_found")
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Checked, error) {
		f, err := find(ctx, tx, city, id)
		if err != nil {
			return Checked{}, err
		}
		if f.Paper == nil {
			return Checked{}, fault.New(fault.NotFound, "not_found")
		}
		t, err := s.template(ctx, tx, f)
		if err != nil {
			return Checked{}, err
		}
		return Checked{f, document(l, t, f, f.masked(l))}, nil
	})
}
