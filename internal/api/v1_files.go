package api

import (
	"cmp"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

func (v *v1) fileOperations() {
	v.addPhotos(Operation{
		Name: "add_photos", Method: http.MethodPost, Path: "/cities/{city}/cases/{case}/photos", Permissions: cases.AttachRights(), tag: "files",
		status: http.StatusCreated,
	})
	v.openAttachment(Operation{Name: "open_attachment", Method: http.MethodGet, Path: "/cities/{city}/attachments/{blob}", Permissions: []actor.Permission{actor.CaseRead, actor.MeasureRead}, tag: "files"})
	v.exportAudit(Operation{Name: "export_audit", Method: http.MethodGet, Path: "/cities/{city}/cases/{case}/audit", Permissions: []actor.Permission{actor.AuditRead}, tag: "files"})
}

// addPhotos takes photographs in that belong to a case.
func (v *v1) addPhotos(o Operation) {
	doc := huma.Operation{RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"multipart/form-data": photoForm(nil)}}}
	v.about.answer(&doc, typeOf[page.Of[blob.Blob]](), o.status)
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		id, err := v.caseID(c.r.Context(), c)
		if err != nil {
			return err
		}
		if err := v.Cases.MayAttachment(c.r.Context(), c.by, c.city, "case:"+id); err != nil {
			return err // before a byte of somebody else's is kept
		}
		in, err := decode(v, w, c, func(in *cases.Attaching) *[]blob.Stored { return &in.Photos })
		if err != nil {
			return err
		}
		in.City, in.ID = c.city, id
		list, err := v.Cases.Attach(c.r.Context(), c.by, in)
		if err != nil {
			return err
		}
		return write(w, o.status, whole(list))
	})
}

// mayAttachment asks whoever an attachment belongs to: a case, or the measurements of a home.
func (v *v1) mayAttachment(c caller, subject string) error {
	if strings.HasPrefix(subject, "measure:") || strings.HasPrefix(subject, "household:") {
		return v.Measure.MayAttachment(c.r.Context(), c.by, c.city, subject)
	}
	return v.Cases.MayAttachment(c.r.Context(), c.by, c.city, subject)
}

// openAttachment gives a photograph or document of a case that the caller may read.
func (v *v1) openAttachment(o Operation) {
	var doc huma.Operation
	v.about.answer(&doc, typeOf[none](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		b, body, err := v.Blobs.Open(c.r.Context(), c.city, c.param("blob"), func(subject string) error {
			return v.mayAttachment(c, subject)
		})
		if err != nil {
			return err
		}
		defer body.Close()
		w.Header().Set("Content-Type", b.MediaType)
		w.Header().Set("Content-Disposition", "inline")
		_, err = io.Copy(w, body)
		return err
	})
}

// exportAudit gives away what was done about one case, in a file that anyone can check offline.
func (v *v1) exportAudit(o Operation) {
	var doc huma.Operation
	v.about.answer(&doc, typeOf[none](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		id, err := v.caseID(c.r.Context(), c)
		if err != nil {
			return err
		}
		one, err := v.Cases.Get(c.r.Context(), c.by, c.city, id)
		if err != nil {
			return err
		}
		to := &begun{w: w}
		err = v.Bundles.Export(c.r.Context(), c.by, bundle.Request{City: c.city, Subjects: []string{one.Subject()}}, to)
		if err != nil && to.yes {
			v.brokenOff(c, err)
		}
		return err
	})
}

// begun notes whether an answer has begun, and sets its type and name only then.
type begun struct {
	w    http.ResponseWriter
	as   string // media type; empty: JSON Lines
	name string // of the file that a browser keeps; empty: none
	yes  bool
}

// Write sends bytes on.
func (b *begun) Write(p []byte) (int, error) {
	if !b.yes {
		b.yes = true
		b.w.Header().Set("Content-Type", cmp.Or(b.as, "application/jsonl"))
		if b.name != "" {
			b.w.Header().Set("Content-Disposition", `attachment; filename="`+b.name+`"`)
		}
	}
	return b.w.Write(p)
}

// brokenOff ends an answer that has begun and cannot go on: half a file must not look like a whole one.
func (v *v1) brokenOff(c caller, err error) {
	v.o.Log.ErrorContext(c.r.Context(), "answer broken off", "request_id", httpx.RequestID(c.r.Context()), "error", err)
	panic(http.ErrAbortHandler)
}
