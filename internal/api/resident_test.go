package api_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

// A resident's paper through the doors of a seat and of two companies.
func TestPapersThroughTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	seat, c1, c2 := h.key("seat", grant(actor.RoleSeat)), h.key("C1", grant(actor.RoleCompany, "C1")), h.key("C2", grant(actor.RoleCompany, "C2"))
	who, err := db.Write(t.Context(), h.app.DB, func(tx *db.Tx) (secret.Person, error) {
		return secret.Subject(t.Context(), tx, h.app.Ring, city, secret.Phone, "13903510777")
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	kept, err := h.app.Blobs.Keep(t.Context(), blob.Upload{City: city, Purpose: blob.Photo, Name: "bill.png", Reader: &b})
	if err != nil {
		t.Fatal(err)
	}
	by := resident.As(city, who.ID, actor.Public)
	if _, err := h.app.Residents.AskByPaper(t.Context(), by, resident.PaperInput{City: city, Words: "某某小区1号楼", Photos: []blob.Stored{kept}}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{c1, c2} { // nobody could say whose it is
		if list := into[page.Of[resident.Asker]](h.get(v1+"/bindings", "Authorization", "Bearer "+key).want(http.StatusOK)); len(list.Items) != 0 {
			t.Errorf("a company lists %d papers", len(list.Items))
		}
	}
	list := into[page.Of[resident.Asker]](h.get(v1+"/bindings", "Authorization", "Bearer "+seat).want(http.StatusOK))
	if len(list.Items) != 1 || len(list.Items[0].Papers) != 1 {
		t.Fatalf("the seat lists %+v", list.Items)
	}
	at := v1 + "/bindings/" + list.Items[0].ID
	h.post(c1, at, resident.Decision{Version: 1, Reason: "x"}).want(http.StatusNotFound)
	h.post(seat, at, resident.Decision{Version: 1}).want(http.StatusUnprocessableEntity)
	h.post(seat, at, resident.Decision{Version: 1, Reason: "看不清"}).want(http.StatusOK)
	h.post(seat, at, resident.Decision{Version: 1, Reason: "看不清"}).want(http.StatusConflict)
}
