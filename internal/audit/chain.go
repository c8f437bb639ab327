package audit

import (
	"bytes"
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Chain checks the entries of one subject one after another, so that a chain of any length needs no memory. The zero
// value waits for a first entry.
type Chain struct {
	Subject string
	Seq     int64
	Hash    string // of the last entry, as it says itself
}

// Add takes the next entry. A fault names subject, seq and the field that differs; the chain goes on from what the entry
// says of itself, so that one change is one fault.
func (c *Chain) Add(e Entry) error {
	before := *c
	*c = Chain{Subject: e.Subject, Seq: e.Seq, Hash: e.Hash}
	key, field := before.differs(e)
	if key == "" {
		return nil
	}
	return fault.New(fault.Invalid, key, "subject", e.Subject, "seq", e.Seq, "field", field)
}

func (c Chain) differs(e Entry) (key, field string) {
	var sealed content
	d := json.NewDecoder(bytes.NewReader([]byte(e.Body)))
	d.DisallowUnknownFields()
	readable := d.Decode(&sealed)
	canonical, err := CanonicalJSON([]byte(e.Body))
	column := ""
	if readable == nil {
		column = sealed.column(e)
	}
	switch {
	case c.Seq > 0 && e.Subject != c.Subject:
		return "audit.gap", "subject"
	case e.Seq != c.Seq+1:
		return "audit.gap", "seq"
	case e.Prev != c.Hash:
		return "audit.broken", "prev"
	case Link(e.Prev, e.Body) != e.Hash && column != "":
		return "audit.broken", column
	case Link(e.Prev, e.Body) != e.Hash:
		return "audit.broken", "body"
	case readable != nil || err != nil || string(canonical) != e.Body:
		return "audit.bad_body", "body"
	case column != "":
		return "audit.differs", column
	}
	return "", ""
}

// column names the first column of an entry that is not what the sealed content says.
func (c content) column(e Entry) string {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"city", c.City == e.City},
		{"id", c.ID == e.ID},
		{"subject", c.Subject == e.Subject},
		{"seq", c.Seq == e.Seq},
		{"at", c.At == int64(e.At)},
		{"act", c.Act == e.Act},
		{"actor", c.Actor == e.Actor},
		{"org", c.Org == e.Org},
		{"door", c.Door == string(e.Door)},
	} {
		if !f.same {
			return f.name
		}
	}
	return ""
}
