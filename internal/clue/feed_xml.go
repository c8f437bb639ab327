package clue

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

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
	p := &paced{r: text}
	d := xml.NewDecoder(p)
	d.Entity = xml.HTMLEntity                                                            // &nbsp; and its like stand in many feeds; none of them grows
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
		p.whole(d.InputOffset())
	}
}

type xmlReader struct {
	d     *xml.Decoder
	fn    func(Entry) error
	depth int
	any   bool // an element was seen

	entry *Entry // the one being read
	at    int    // depth of its element
	field string // the field being read
	named bool   // an author's name stands in an element of its own
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
		return x.end(t.Name.Local)
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
	case x.entry != nil && x.depth == x.at+2 && x.field == "author" && name == "name":
		x.text.Reset() // beside it stand an address and a mail box
	case x.entry != nil && x.depth == x.at+1:
		x.field, x.named = name, false
		if strings.Contains(t.Name.Space, "mrss") || strings.Contains(t.Name.Space, "itunes") {
			x.field = "" // of a picture or a recording
		}
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

func (x *xmlReader) end(name string) error {
	switch {
	case x.entry == nil:
		return nil
	case x.depth == x.at+1 && x.field == "author" && name == "name":
		x.entry.Author, x.named = strings.TrimSpace(x.text.String()), true
	case x.depth == x.at: // a field of the entry ended
		if !x.named {
			x.keep(x.field, strings.TrimSpace(x.text.String()))
		}
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
