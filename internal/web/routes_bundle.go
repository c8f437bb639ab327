package web

import (
	"bytes"
	"net/http"

	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// refundBundle gives away everything that a household's refund rests on, in a signed file that rehu verify computes anew
// without a database.
func (w *Web) refundBundle(rw http.ResponseWriter, r *http.Request) error {
	in := bundle.HouseholdRequest{City: httpx.City(r.Context()), Season: r.PathValue("season"), Account: r.PathValue("account")}
	var b bytes.Buffer // whole or not at all: a file that breaks off is no proof
	if err := w.Bundles.ExportHousehold(r.Context(), by(r), in, &b); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="refund-`+in.Season+`.jsonl"`)
	rw.Header().Set("Cache-Control", "private, no-store")
	_, err := b.WriteTo(rw)
	return err
}
