package exchange

import (
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

// FileState is where a file of a platform's message stands. Its name on the screen is "exchange_file.<name>".
type FileState string

// The states.
const (
	Wanted     FileState = "wanted"  // to be fetched
	Kept       FileState = "kept"    // here, and what was said
	NotFetched FileState = "refused" // not there, not what was said, or where nothing is fetched: staff decide
)

// File is a file that a platform's message names, and what became of fetching it.
type File struct {
	City     int           `db:"city_id" json:"-"`
	ID       string        `db:"id" json:"id"`
	Ticket   string        `db:"ticket_id" json:"-"`
	Message  string        `db:"message_id" json:"message"`
	N        int           `db:"n" json:"n"` // place in the message, from 0
	Platform string        `db:"platform" json:"-"`
	Name     string        `db:"name" json:"name"`
	Media    string        `db:"media_type" json:"media_type"`
	Size     int64         `db:"size" json:"size"`
	SHA256   string        `db:"sha256" json:"sha256"` // of what was fetched; a photograph is kept written anew
	URL      string        `db:"url" json:"url,omitempty"`
	State    FileState     `db:"state" json:"state"`
	Blob     string        `db:"blob" json:"blob,omitempty"`
	Error    string        `db:"error" json:"error,omitempty"`
	Tries    int           `db:"tries" json:"tries"`
	NextAt   civil.Instant `db:"next_at" json:"next_at,omitzero"`
	Created  civil.Instant `db:"created_at" json:"created_at"`
	DoneAt   civil.Instant `db:"done_at" json:"done_at,omitzero"`
	Version  int64         `db:"version" json:"version"`
}

// FileAsked asks the side that named a file for its bytes.
type FileAsked struct {
	Ticket   string `json:"ticket"`
	OpenedBy Side   `json:"opened_by"`
	SHA256   string `json:"sha256"`
}

const mostAddress = 1000

// isFileURL takes an https address without a name and a password in it, and one on the platform's own program.
func isFileURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= mostAddress && u.Host != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http")
}

// onOwnHost reports whether a file lies with the platform's own program, which the manager has let be called.
func (p Platform) onOwnHost(u *url.URL) bool {
	own, err := url.Parse(p.URL)
	return err == nil && own.Scheme == u.Scheme && strings.EqualFold(own.Host, u.Host)
}
