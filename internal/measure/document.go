package measure

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
)

// The documents of a measurement, as packs name their templates. A pack that has none of a sort gets none.
const (
	DocRequest    = "test_request"    // 入户测温申请单
	DocTest       = "room_test_sheet" // 居民室内温度检测记录单
	DocRetest     = "retest_sheet"    // 复测单; a pack without one uses the test's
	DocNotHome    = "not_home_slip"   // 未遇告知单
	DocRefusal    = "refusal_witness" // 拒测见证
	DocInvitation = "lab_invitation"  // 委托检测参检通知书
)

// Document is a number that was taken for a document.
type Document struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Code        string        `db:"code" json:"code"` // of the template
	No          string        `db:"no" json:"no"`
	Home        string        `db:"home" json:"home"`
	Measurement string        `db:"measurement_id" json:"measurement,omitempty"`
	Matter      string        `db:"matter" json:"matter"` // the visit or record it is about
	Made        civil.Instant `db:"made_at" json:"made_at"`
}

// Sheet is everything that is printed on a document: the template as the pack writes it (name, fields, seal, copies), the
// number, and what happened. Names of signers are in the clear in Signers when the reader may see them, else masked.
type Sheet struct {
	Template    citypack.Template `json:"template"`
	Document    Document          `json:"document"`
	Measurement Measurement       `json:"measurement"`
	Visit       *Visit            `json:"visit,omitempty"`
	Record      *Record           `json:"record,omitempty"`
	Signers     []Signer          `json:"signers,omitempty"`
	Photos      []KeptPhoto       `json:"photos,omitempty"`
	Chain       Chain             `json:"chain"`
	Earlier     *Visit            `json:"earlier,omitempty"`    // the test before a re-test
	EarlierNo   string            `json:"earlier_no,omitempty"` // the number of its sheet
	Cure        string            `json:"cure,omitempty"`       // what the company said it did in between
}

// Signer is one signature as it is printed.
type Signer struct {
	Side     Side   `json:"side"`
	Name     string `json:"name"`
	Relation string `json:"relation,omitempty"`
	Refused  bool   `json:"refused,omitempty"`
	Strokes  string `json:"strokes,omitempty"`
}

// Chain is the state of a home's audit chain.
type Chain struct {
	Subject string `json:"subject"`
	Length  int64  `json:"length"`
	Hash    string `json:"hash"` // of the last entry
	Sound   bool   `json:"sound"`
	Fault   string `json:"fault,omitempty"` // where it breaks
}

// template finds a template of a pack.
func template(p *citypack.Pack, code string) (citypack.Template, bool) {
	for _, t := range p.Doc.Documents {
		if t.Code == code {
			return t, true
		}
	}
	return citypack.Template{}, false
}

// datedForm reports whether numbers of a form start anew each day.
func datedForm(form string) bool { return strings.Contains(form, "{date}") }
