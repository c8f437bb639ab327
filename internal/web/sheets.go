package web

import (
	"context"
	"net/http"

	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// sendSheet answers with a table as a file, named after the day. Columns are catalogue keys; each writes the rows. What the
// reader asked for in "format" is XLSX or else CSV.
func (w *Web) sendSheet(rw http.ResponseWriter, r *http.Request, name string, columns []string, each func(out sheet.Writer) error) error {
	format := sheet.CSV
	if r.URL.Query().Get("format") == string(sheet.XLSX) {
		format = sheet.XLSX
	}
	if err := httpx.Long(rw); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", format.MediaType())
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`-`+w.o.Now().Date().String()+`.`+string(format)+`"`)
	header := make([]string, len(columns))
	for i, k := range columns {
		header[i] = ui.T(r.Context(), k)
	}
	out, err := sheet.NewWriter(rw, format, header...)
	if err != nil {
		return err
	}
	if err := each(out); err != nil {
		return err
	}
	return out.Close()
}

// sheetLink is the address of the page's table as a file, with the page's filter.
func sheetLink(ctx context.Context, path, format string) string {
	q := cloneQuery(ui.Of(ctx).URL.Query())
	q.Del("after")
	q.Set("format", format)
	return withQuery(path, q)
}
