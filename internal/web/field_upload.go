package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
)

// uploadRoutes take photographs in pieces, so that one that was cut in a stairwell goes on where it stopped: announce,
// ask how far it has come, send the piece that begins there. Content is looked at with the last piece.
func (w *Web) uploadRoutes() []Route {
	if w.Blobs == nil {
		return nil
	}
	in := may(actor.CaseHandle, actor.CaseFeedBack, actor.MeasureTest)
	return []Route{
		post("/f/{city}/uploads", in, w.beginUpload),
		get("/f/{city}/uploads/{upload}", in, w.uploadState),
		post("/f/{city}/uploads/{upload}/piece", in, w.appendUpload),
	}
}

// uploadAnswer is how far an upload has come.
type uploadAnswer struct {
	ID   string `json:"id"`
	Got  int64  `json:"got"`
	Size int64  `json:"size"`
	Done bool   `json:"done"`
}

func comingOf(c blob.Coming) uploadAnswer {
	return uploadAnswer{ID: c.ID, Got: c.Got, Size: c.Size, Done: c.Done()}
}

func (w *Web) beginUpload(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[blob.Announce](r)
	if err != nil {
		return err
	}
	in.City = httpx.City(r.Context())
	c, err := w.Blobs.Begin(r.Context(), by(r), in)
	if err != nil {
		return w.uploadFault(rw, r, err)
	}
	return w.json(rw, http.StatusOK, comingOf(c))
}

func (w *Web) uploadState(rw http.ResponseWriter, r *http.Request) error {
	c, err := w.Blobs.Upload(r.Context(), by(r), httpx.City(r.Context()), chi.URLParam(r, "upload"))
	if err != nil {
		return err
	}
	return w.json(rw, http.StatusOK, comingOf(c))
}

// appendUpload takes one piece: the bytes alone are the body, and "at" in the address says where they begin.
func (w *Web) appendUpload(rw http.ResponseWriter, r *http.Request) error {
	q := r.Clone(r.Context())
	q.Method = http.MethodGet
	in, err := httpx.Bind[struct {
		At int64 `form:"at"`
	}](q)
	if err != nil {
		return err
	}
	c, err := w.Blobs.Append(r.Context(), by(r), httpx.City(r.Context()), chi.URLParam(r, "upload"), in.At, r.Body)
	if err != nil && fault.Of(err).Key == "blob.upload_hole" { // the telephone reads where to go on
		return w.json(rw, http.StatusConflict, comingOf(c))
	}
	if err != nil {
		return w.uploadFault(rw, r, err)
	}
	return w.json(rw, http.StatusOK, comingOf(c))
}

// uploadFault says in words what is wrong with a photograph; everything else is answered as anywhere.
func (w *Web) uploadFault(rw http.ResponseWriter, r *http.Request, err error) error {
	switch k := fault.KindOf(err); k {
	case fault.Invalid, fault.Conflict, fault.NotFound:
		return w.json(rw, httpx.Status(k), queued{State: "refused", Message: sayFault(r.Context(), err)})
	case fault.Denied, fault.Exhausted, fault.Down, fault.Internal:
	}
	return err
}
