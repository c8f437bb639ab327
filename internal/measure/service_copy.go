package measure

import (
	"context"
	"crypto/subtle"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// copyKeyLength is how much of the keyed hash a link carries: 128 bits, which nobody guesses.
const copyKeyLength = 32

// CopyKey is what the link of a resident's copy holds beside the document's id. Who has the link has the paper itself: it is
// printed on it and shown at the door.
func (s *Service) CopyKey(city int, document string) string {
	return s.o.Ring.Blind("measure.copy", strconv.Itoa(city)+"/"+document)[:copyKeyLength]
}

// SheetCopy gives a document to whoever holds its link: no names of staff, signers masked, nothing drawn.
func (s *Service) SheetCopy(ctx context.Context, city int, document, key string) (Sheet, error) {
	if subtle.ConstantTimeCompare([]byte(key), []byte(s.CopyKey(city, document))) != 1 {
		return Sheet{}, fault.New(fault.NotFound, "not_found")
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) {
		d, err := findDocument(ctx, tx, city, document)
		if err != nil {
			return Sheet{}, err
		}
		out, err := s.sheet(ctx, tx, actor.Anonymous(actor.Public), d)
		out.hideStaff()
		return out, err
	})
}
