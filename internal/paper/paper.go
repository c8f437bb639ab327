// Package paper makes the sheets that are handed out or signed: the record of a measured room, the finding, the receipt, the
// supervision order, as PDF with the Chinese type inside, so that they print alike everywhere and years later.
//
// Invariants: the same document gives the same bytes; no character of the text is lost (one that no font here has is printed
// as 〓 and named by its number at the end); nothing that closes a phrase starts a line and nothing that opens one ends it; a
// table repeats its header on every page; every page says which of how many it is. A sheet is no record: what it shows
// is kept by the capability that prints it.
package paper

import "github.com/rehu-heat/rehu/internal/text"

// Style is how a document is laid out.
type Style int

// The styles.
const (
	// Form is the everyday sheet: sans serif, 10.5 points, narrow margins.
	Form Style = iota
	// Official follows GB/T 9704: 37 mm above, 28 mm at the binding edge, a type area of 156 by 225 mm, 22 lines of 28
	// characters of 16 points; docs/architecture.md says in what it differs.
	Official
)

// Document is one document, A4 upright.
type Document struct {
	Style    Style
	Language text.Lang // of the page numbers and notes; the content comes in its language
	Issuer   string    // who issues it; in the official style the red head
	Title    string
	Number   string
	Blocks   []Block
	Footer   string // left of the page number, such as the copy or where to check it
}

// Block is a part of a document; blocks follow one another down the page.
type Block interface{ lay(*sheet) error }

// Heading starts a part.
type Heading struct{ Text string }

// Paragraph is running text; a line break starts a new line.
type Paragraph struct {
	Text   string
	Indent bool // the first line by two characters, as Chinese prose is set
	Align  Align
	Small  bool
}

// Align is where a line stands.
type Align int

// The alignments.
const (
	Left Align = iota
	Centre
	Right
)

// Pair is one line of a form: what is asked and what was answered.
type Pair struct{ Label, Value string }

// Pairs is a ruled table of questions and answers.
type Pairs struct {
	Pairs []Pair
	Two   bool // two pairs side by side, where the answers are short
}

// Column is a column of a table; widths are shares of the sum.
type Column struct {
	Title string
	Width float64
	Align Align
}

// Table is a ruled table whose header is repeated on each page.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Picture is a photo (PNG or JPEG) within a box, in millimetres.
type Picture struct {
	Data          []byte
	Caption       string
	Width, Height float64
}

// Signature is a place to sign, or what was drawn there.
type Signature struct {
	Label string
	Name  string // printed name, with relation
	Drawn []byte // PNG or JPEG of the signature; empty: a line to sign on
	When  string
}

// Signatures are signed side by side, two in a row.
type Signatures struct{ Signatures []Signature }

// Seal is the place of a seal, with the name of the body and the date below it.
type Seal struct {
	Place string
	Date  string
	Note  string // inside the circle, such as （盖章）
}

// Code is a QR code with a word beside it.
type Code struct {
	Content string
	Caption string
}

// Space is empty height in millimetres.
type Space struct{ Height float64 }
