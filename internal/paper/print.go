package paper

import (
	"fmt"
	"io"
	"strings"

	"github.com/signintech/gopdf"

	"github.com/rehu-heat/rehu/internal/text"
)

// Print lays a document out and writes it as PDF.
func (p *Press) Print(w io.Writer, d Document) error {
	s, err := p.layOut(d)
	if err != nil {
		return err
	}
	pdf := &gopdf.GoPdf{}
	pdf.Start(gopdf.Config{PageSize: gopdf.Rect{W: pageWidth, H: pageHeight}, Unit: gopdf.UnitPT})
	pdf.SetInfo(gopdf.PdfInfo{Title: d.Title, Author: d.Issuer, Creator: "Rehu"})
	// In a fixed order, so that the same document gives the same bytes.
	for _, f := range []face{sans, serif, rare} {
		if o := s.set.fonts[f]; o != nil {
			if err := pdf.AddTTFFontData(string(f), o.data); err != nil {
				return fmt.Errorf("embed the font %s: %w", f, err)
			}
		}
	}
	for _, marks := range s.pages {
		pdf.AddPage()
		for _, m := range marks {
			if err := ink(pdf, s.set, m); err != nil {
				return err
			}
		}
	}
	if _, err := pdf.WriteTo(w); err != nil {
		return fmt.Errorf("write the document %q: %w", d.Title, err)
	}
	return nil
}

// Pages is how many pages a document has.
func (p *Press) Pages(d Document) (int, error) {
	s, err := p.layOut(d)
	if err != nil {
		return 0, err
	}
	return len(s.pages), nil
}

func (p *Press) layOut(d Document) (*sheet, error) {
	l := d.Style.look()
	set := &setting{press: p, main: l.main, fonts: map[face]*outlines{}, glyphs: map[rune]glyph{}}
	s := &sheet{look: l, set: set, doc: d}
	s.turn()
	if err := s.head(); err != nil {
		return nil, err
	}
	for _, b := range d.Blocks {
		if err := b.lay(s); err != nil {
			return nil, err
		}
	}
	if err := s.lacking(); err != nil {
		return nil, err
	}
	return s, s.foot()
}

// head sets issuer, title and number.
func (s *sheet) head() error {
	if s.doc.Style == Official {
		return s.redHead()
	}
	for _, part := range []struct {
		text  string
		size  float64
		align Align
	}{{s.doc.Issuer, s.body, Centre}, {s.doc.Title, s.title, Centre}, {s.doc.Number, s.body, Right}} {
		if part.text == "" {
			continue
		}
		lines, err := s.lines(part.text, part.size, s.width(), s.width())
		if err != nil {
			return err
		}
		s.text(lines, part.size, 1.5, 0, part.align, black)
	}
	s.gapAfter(s.gap / 2)
	return nil
}

// redHead sets the mark of the issuing body, the number and the red rule, and the title two lines below it.
func (s *sheet) redHead() error {
	size := 30.0
	if err := s.set.learn(clean(s.doc.Issuer)); err != nil {
		return err
	}
	if w := s.set.measure(s.doc.Issuer) * size; w > s.width() {
		size = max(16, size*s.width()/w)
	}
	issuer, err := s.lines(s.doc.Issuer, size, s.width(), s.width())
	if err != nil {
		return err
	}
	number, err := s.lines(s.doc.Number, s.body, s.width(), s.width())
	if err != nil {
		return err
	}
	title, err := s.lines(s.doc.Title, s.title, s.width(), s.width())
	if err != nil {
		return err
	}
	if s.doc.Issuer != "" {
		s.text(issuer, size, 1.3, 0, Centre, red)
		s.y += s.body
	}
	s.text(number, s.body, s.line, 0, Centre, black)
	s.y += 4 * mm
	s.mark(line{s.left, s.y, s.left + s.width(), s.y, 1.2, red})
	s.y += s.body * s.line
	s.text(title, s.title, 1.4, 0, Centre, black)
	s.y += s.body * s.line
	return nil
}

// lacking names the characters that no font here has, so that a name is not lost with its sort.
func (s *sheet) lacking() error {
	if len(s.set.missing) == 0 {
		return nil
	}
	codes := make([]string, len(s.set.missing))
	for i, r := range s.set.missing {
		codes[i] = fmt.Sprintf("%U", r)
	}
	return Paragraph{Text: text.T(s.doc.Language, "paper.lacking", "codes", strings.Join(codes, ", ")), Small: true}.lay(s)
}

// foot numbers the pages, now that their number is known.
func (s *sheet) foot() error {
	for i := range s.pages {
		at := text.T(s.doc.Language, "paper.page", "page", i+1, "pages", len(s.pages))
		size, y, align, c := s.small, pageHeight-s.bottom+8*mm, Right, grey
		if s.doc.Style == Official {
			// The number stands outside: on the right of odd pages, on the left of even ones.
			at, c = fmt.Sprintf("— %d —", i+1), black
			if i%2 == 1 {
				align = Left
			}
		}
		note, err := s.lines(s.doc.Footer, size, s.width()*0.75, s.width()*0.75)
		if err != nil {
			return err
		}
		if err := s.set.learn(at); err != nil {
			return err
		}
		at = clean(at)
		put := func(t string, y float64, a Align) {
			if t == "" {
				return
			}
			x := s.left
			free := s.width() - s.set.measure(t)*size
			if a == Right {
				x += free
			}
			s.pages[i] = append(s.pages[i], word{x: x, y: y, size: size, text: t, colour: c})
		}
		put(at, y, align)
		if s.doc.Style == Official {
			y += size * 1.3
		}
		for j, l := range note {
			put(l, y+float64(j)*size*1.3, Left)
		}
	}
	return nil
}

// ink draws one mark.
func ink(pdf *gopdf.GoPdf, set *setting, mark any) error {
	switch m := mark.(type) {
	case word:
		pdf.SetTextColor(m.colour.r, m.colour.g, m.colour.b)
		x := m.x
		for _, r := range set.runs(m.text) {
			if err := pdf.SetFont(string(r.face), "", m.size); err != nil {
				return fmt.Errorf("set %q: %w", r.text, err)
			}
			pdf.SetXY(x, m.y)
			if err := pdf.Text(r.text); err != nil {
				return fmt.Errorf("set %q: %w", r.text, err)
			}
			x += set.measure(r.text) * m.size
		}
	case line:
		pdf.SetStrokeColor(m.colour.r, m.colour.g, m.colour.b)
		pdf.SetLineWidth(m.width)
		pdf.Line(m.x1, m.y1, m.x2, m.y2)
	case area:
		pdf.SetFillColor(m.colour.r, m.colour.g, m.colour.b)
		pdf.RectFromUpperLeftWithStyle(m.x, m.y, m.w, m.h, "F")
	case circle:
		pdf.SetStrokeColor(m.colour.r, m.colour.g, m.colour.b)
		pdf.SetLineWidth(0.5)
		pdf.Oval(m.x-m.r, m.y-m.r, m.x+m.r, m.y+m.r)
	case image:
		h, err := gopdf.ImageHolderByBytes(m.data)
		if err != nil {
			return fmt.Errorf("embed a picture: %w", err)
		}
		if err := pdf.ImageByHolder(h, m.x, m.y, &gopdf.Rect{W: m.w, H: m.h}); err != nil {
			return fmt.Errorf("embed a picture: %w", err)
		}
	}
	return nil
}
