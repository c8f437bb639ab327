package clue

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
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

func broken(cause error) error {
	if _, ours := errors.AsType[*fault.Error](cause); ours {
		return cause
	}
	return fault.Wrap(fmt.Errorf("read a feed: %w", cause), fault.Invalid, "clue.feed.broken")
}

// decoded turns a text into UTF-8: by its name, else by a mark at its beginning, else as UTF-8 where it is, else as
// GB 18030, which holds GBK and GB 2312.
func decoded(r io.Reader, name string) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(4 << 10) // shorter is fine
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, err := b.Discard(3)
		return b, err
	}
	var enc encoding.Encoding
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

var declared = regexp.MustCompile(`^\s*<\?xml[^>]*encoding=["']([A-Za-z0-9_-]+)["']`)

// readXML reads RSS and Atom as tokens. A document type is refused outright: with it go entities that grow, and files and
// addresses that the reader would be sent to.
func readXML(r io.Reader, m Mapping, fn func(Entry) error) error {
	b := bufio.NewReaderSize(r, 64<<10)
	name := m.Encoding
	head, _ := b.Peek(1 << 10)
	if d := declared.FindSubmatch(head); d != nil && name == "" {
		name = string(d[1])
	}
	text, err := decoded(b, name)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(&guarded{r: text})
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded already
	x := xmlReader{d: d, fn: fn}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if x.depth != 0 || !x.any {
				return broken(io.ErrUnexpectedEOF)
			}
			return nil
		}
		if err != nil {
			return broken(err)
		}
		if err := x.token(token); err != nil {
			return err
		}
	}
}

// guarded ends a text that goes on too long without a mark, before the decoder has gathered it in memory.
type guarded struct {
	r     io.Reader
	since int
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if i := bytes.LastIndexByte(p[:n], '<'); i >= 0 {
		g.since = n - i
	} else if g.since += n; g.since > maxEntry {
		return 0, fault.New(fault.Invalid, "clue.feed.entry_too_long", "kb", maxEntry>>10)
	}
	return n, err
}

type xmlReader struct {
	d     *xml.Decoder
	fn    func(Entry) error
	depth int
	any   bool // an element was seen

	entry *Entry // the one being read
	at    int    // depth of its element
	field string // the field being read
	text  strings.Builder
	size  int
}

func (x *xmlReader) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return fault.New(fault.Invalid, "clue.feed.doctype")
	case xml.StartElement:
		x.any = true
		if x.depth++; x.depth > maxDepth {
			return fault.New(fault.Invalid, "clue.feed.too_deep", "max", maxDepth)
		}
		x.start(t)
	case xml.EndElement:
		x.depth--
		return x.end()
	case xml.CharData:
		if x.entry == nil {
			return nil
		}
		if x.size += len(t); x.size > maxEntry {
			return fault.New(fault.Invalid, "clue.feed.entry_too_long", "kb", maxEntry>>10)
		}
		x.text.Write(t)
	}
	return nil
}

func (x *xmlReader) start(t xml.StartElement) {
	name := t.Name.Local
	switch {
	case x.entry == nil && (name == "item" || name == "entry"):
		x.entry, x.at, x.size = &Entry{}, x.depth, 0
	case x.entry != nil && x.depth == x.at+1:
		x.field = name
		x.text.Reset()
		if name == "link" {
			x.link(t)
		}
	}
}

// link is an attribute in Atom, and one of several.
func (x *xmlReader) link(t xml.StartElement) {
	href, rel := "", ""
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "href":
			href = a.Value
		case "rel":
			rel = a.Value
		}
	}
	if href != "" && (rel == "" || rel == "alternate") {
		x.entry.Link = href
	}
}

func (x *xmlReader) end() error {
	switch {
	case x.entry == nil:
		return nil
	case x.depth == x.at: // a field of the entry ended
		x.keep(x.field, strings.TrimSpace(x.text.String()))
		x.field = ""
		return nil
	case x.depth < x.at:
		e := *x.entry
		x.entry = nil
		return x.fn(mend(e))
	}
	return nil
}

func (x *xmlReader) keep(field, v string) {
	e := x.entry
	switch field {
	case "guid", "id":
		e.ID = v
	case "title":
		e.Title = strip(v)
	case "description", "summary", "encoded", "content":
		if v = strip(v); len(v) > len(e.Text) {
			e.Text = v
		}
	case "author", "creator", "name":
		e.Author = v
	case "link":
		if v != "" {
			e.Link = v
		}
	case "pubDate", "published", "date":
		e.At = instant(v)
	case "updated":
		if e.At.IsZero() {
			e.At = instant(v)
		}
	}
}

var (
	tags   = regexp.MustCompile(`(?s)<(?:script|style)[^>]*>.*?</(?:script|style)>|<[^>]*>`)
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

func instant(v string) civil.Instant {
	v = strings.TrimSpace(v)
	if at, err := civil.ParseInstant(strings.Replace(v, " ", "T", 1)); err == nil {
		return at
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, time.RubyDate, "Mon, 2 Jan 2006 15:04:05 -0700", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006-1-2 15:04:05", "2006年1月2日 15:04"} {
		if t, err := time.ParseInLocation(layout, v, civil.Zone); err == nil {
			return civil.At(t)
		}
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 1e9 {
		if n < 1e11 {
			n *= 1000
		}
		return civil.Instant(n)
	}
	return 0
}

// readJSON walks to the list and takes it entry by entry.
func readJSON(r io.Reader, m Mapping, fn func(Entry) error) error {
	text, err := decoded(r, m.Encoding)
	if err != nil {
		return err
	}
	d := json.NewDecoder(text)
	d.UseNumber()
	var path []string
	if m.Items != "" {
		path = strings.Split(m.Items, ".")
	}
	if err := seek(d, path); err != nil {
		return broken(err)
	}
	for d.More() {
		from := d.InputOffset()
		var one map[string]any
		if err := d.Decode(&one); err != nil {
			return broken(err)
		}
		if d.InputOffset()-from > maxEntry || len(one) > maxFields {
			return fault.New(fault.Invalid, "clue.feed.entry_too_long", "kb", maxEntry>>10)
		}
		if err := fn(mend(m.entry(func(name string) string { return word(one, name) }))); err != nil {
			return err
		}
	}
	return nil
}

// seek reads on until the list of a path begins; with no path the first list.
func seek(d *json.Decoder, path []string) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if delim, ok := t.(json.Delim); ok {
			switch delim {
			case '[':
				if len(path) == 0 {
					return nil
				}
			case '{':
				if depth++; depth > maxDepth {
					return fault.New(fault.Invalid, "clue.feed.too_deep", "max", maxDepth)
				}
			case '}', ']':
				depth--
			}
			continue
		}
		if name, ok := t.(string); ok && len(path) > 0 && name == path[0] {
			path = path[1:]
		}
	}
}

// word is a field of an entry, at a path, as text.
func word(one map[string]any, path string) string {
	var v any = one
	for part := range strings.SplitSeq(path, ".") {
		inner, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = inner[part]
	}
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
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

// readCSV reads a table with a header row.
func readCSV(r io.Reader, m Mapping, fn func(Entry) error) error {
	text, err := decoded(r, m.Encoding)
	if err != nil {
		return err
	}
	c := csv.NewReader(text)
	c.ReuseRecord, c.FieldsPerRecord, c.LazyQuotes = true, -1, true
	header, err := c.Read()
	if err != nil {
		return broken(err)
	}
	at := make(map[string]int, len(header))
	for i, h := range header[:min(len(header), maxFields)] {
		at[strings.TrimSpace(h)] = i
	}
	if _, ok := at[m.Text]; !ok {
		return fault.New(fault.Invalid, "clue.feed.no_column", "name", m.Text)
	}
	for {
		row, err := c.Read()
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
