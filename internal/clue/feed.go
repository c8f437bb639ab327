package clue

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// Format is how a feed is written.
type Format string

// The formats.
const (
	XML  Format = "xml" // RSS 2.0, RSS 1.0 or Atom, told apart by their elements
	JSON Format = "json"
	CSV  Format = "csv"
)

// Entry is one post of a feed.
type Entry struct {
	ID, Title, Text, Author, Link, Repost string
	At                                    civil.Instant
	Lng, Lat                              *float64
}

// Limits of what a feed may be. A feed is read as a stream: its length is bounded by bytes, and one entry by itself.
const (
	MaxFeed   = 64 << 20
	maxEntry  = 1 << 20
	maxDepth  = 32
	maxFields = 200
)

// Mapping says which field of a vendor's JSON or CSV is which; empty names are the usual ones. Items is where the list
// stands in a JSON answer: "data.list"; empty: the answer is the list, or its first list is.
type Mapping struct {
	Items, ID, Title, Text, Author, Link, At, Lng, Lat, Repost string
	Encoding                                                   string // gbk, gb18030, utf-8; empty: told from the bytes
}

// MappingOf reads a mapping from the settings of an account.
func MappingOf(settings map[string]string) Mapping {
	m := Mapping{
		Items: settings["items"], ID: settings["id"], Title: settings["title"], Text: settings["text"], Author: settings["author"],
		Link: settings["link"], At: settings["at"], Lng: settings["lng"], Lat: settings["lat"], Repost: settings["repost_of"], Encoding: settings["encoding"],
	}
	for field, usual := range map[*string]string{
		&m.ID: "id", &m.Title: "title", &m.Text: "text", &m.Author: "author", &m.Link: "link", &m.At: "at", &m.Lng: "lng", &m.Lat: "lat", &m.Repost: "repost_of",
	} {
		if *field == "" {
			*field = usual
		}
	}
	return m
}

// ReadFeed reads a feed entry by entry and gives each to fn; it keeps one entry in memory, however long the feed is. A
// feed that defines entities, nests without end or is longer than allowed is refused where that shows; what was given to
// fn before is good.
func ReadFeed(r io.Reader, f Format, m Mapping, fn func(Entry) error) error {
	limited := &capped{r: r, left: MaxFeed}
	var err error
	switch f {
	case XML:
		err = readXML(limited, m, fn)
	case JSON:
		err = readJSON(limited, m, fn)
	case CSV:
		err = readCSV(limited, m, fn)
	default:
		return fault.New(fault.Invalid, "clue.feed.format")
	}
	if limited.over {
		return fault.New(fault.Invalid, "clue.feed.too_long", "mb", MaxFeed>>20)
	}
	return err
}

// capped ends with an error, not silently, when more comes than is allowed.
type capped struct {
	r    io.Reader
	left int64
	over bool
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.over = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// paced ends a text that goes on too long without something whole to read in it, before a decoder has gathered it in memory.
type paced struct {
	r          io.Reader
	read, from int64
}

// pace is what a decoder reads ahead by itself.
const pace = 256 << 10

// whole notes how far the text was understood.
func (p *paced) whole(offset int64) { p.from = offset }

func (p *paced) Read(b []byte) (int, error) {
	if p.read-p.from > maxEntry+pace {
		return 0, fault.New(fault.Invalid, "clue.feed.entry_too_long", "kb", maxEntry>>10)
	}
	n, err := p.r.Read(b[:min(len(b), pace/4)])
	p.read += int64(n)
	return n, err
}

func broken(cause error) error {
	if _, ours := errors.AsType[*fault.Error](cause); ours {
		return cause
	}
	return fault.Wrap(fmt.Errorf("read a feed: %w", cause), fault.Invalid, "clue.feed.broken")
}

// decoded turns a text into UTF-8: by a mark at its beginning, else by its name, else as UTF-8 where it is, else as
// GB 18030, which holds GBK and GB 2312.
func decoded(r io.Reader, name string) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(4 << 10) // shorter is fine
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, err := b.Discard(3)
		return b, err
	}
	var enc encoding.Encoding
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		name = "utf-16" // with its mark, which says which
	}
	switch name = strings.ToLower(name); {
	case name == "" && validStart(head), name == "utf-8", name == "utf8":
		return b, nil
	case name == "":
		enc = simplifiedchinese.GB18030
	default:
		var err error
		if enc, err = htmlindex.Get(name); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "clue.feed.encoding", "name", name)
		}
	}
	return transform.NewReader(b, enc.NewDecoder()), nil
}

// validStart reports whether a text begins as UTF-8; a character cut off at the end of the sample is none the worse.
func validStart(head []byte) bool {
	for range utf8.UTFMax {
		if utf8.Valid(head) {
			return true
		}
		if len(head) == 0 {
			return true
		}
		head = head[:len(head)-1]
	}
	return false
}

var (
	tags   = regexp.MustCompile(`(?s)<(?:script|style)[^>]*>.*?</(?:script|style)>|<!--.*?-->|</?[a-zA-Z!][^>]*>`)
	spaces = regexp.MustCompile(`[ \t\x{00a0}\x{3000}]+`)
)

// strip is HTML without its marks.
func strip(s string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(s, " ")), " "))
}

// mend fills in what an entry can do without.
func mend(e Entry) Entry {
	if e.ID == "" {
		e.ID = e.Link
	}
	if e.Text == "" {
		e.Text, e.Title = e.Title, ""
	}
	return e
}

// layouts are how feeds write a moment beside RFC 3339; one without a zone is the city's.
var layouts = []string{
	time.RFC1123Z, time.RFC1123, time.RubyDate, time.RFC850, time.ANSIC, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04 -0700",
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 06 15:04:05 -0700", "Mon, 2 Jan 06 15:04:05 MST", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700", "20060102150405",
}

// instant reads a moment; zero when it is none. A day alone is its last moment: nobody is held to an hour that was not told.
func instant(v string) civil.Instant {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if at, err := civil.ParseInstant(strings.Replace(v, " ", "T", 1)); err == nil {
		return at
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, v, civil.Zone); err == nil {
			return civil.At(t)
		}
	}
	if day, err := sheet.Day(v); err == nil {
		return day.End().Add(-time.Millisecond)
	}
	if at, err := sheet.Time(v); err == nil {
		return at
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 1e9 {
		if n < 1e11 {
			n *= 1000
		}
		return civil.Instant(n)
	}
	return 0
}

func (m Mapping) entry(of func(name string) string) Entry {
	e := Entry{
		ID: of(m.ID), Title: strip(of(m.Title)), Text: strip(of(m.Text)), Author: of(m.Author), Link: of(m.Link), Repost: of(m.Repost), At: instant(of(m.At)),
	}
	lng, err1 := strconv.ParseFloat(of(m.Lng), 64)
	lat, err2 := strconv.ParseFloat(of(m.Lat), 64)
	if err1 == nil && err2 == nil {
		e.Lng, e.Lat = &lng, &lat
	}
	return e
}

// readCSV reads a table with a header row, as offices' programs write it.
func readCSV(r io.Reader, m Mapping, fn func(Entry) error) error {
	text, err := decoded(r, m.Encoding)
	if err != nil {
		return err
	}
	rows, err := sheet.OpenWith("feed.csv", text, sheet.Limits{Bytes: MaxFeed, Columns: maxFields, Cell: maxEntry})
	if err != nil {
		return broken(err)
	}
	defer rows.Close()
	at := make(map[string]int, len(rows.Header()))
	for i, h := range rows.Header() {
		at[h] = i
	}
	if _, ok := at[m.Text]; !ok {
		return fault.New(fault.Invalid, "clue.feed.no_column", "name", m.Text)
	}
	for {
		row, _, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(err)
		}
		of := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.Clone(row[i])
			}
			return ""
		}
		if err := fn(mend(m.entry(of))); err != nil {
			return err
		}
	}
}
