package paper

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

func (h Heading) lay(s *sheet) error {
	size := s.body * 1.15
	lines, err := s.lines(h.Text, size, s.width(), s.width())
	if err != nil {
		return err
	}
	s.gapAfter(s.gap / 2)
	s.need(size*s.line*float64(len(lines)) + s.body*s.line*2) // a heading does not stand alone at the foot
	s.text(lines, size, s.line, 0, Left, black)
	return nil
}

func (p Paragraph) lay(s *sheet) error {
	size, c := s.body, black
	if p.Small {
		size, c = s.small, grey
	}
	indent := 0.0
	if p.Indent {
		indent = 2 * size
	}
	// Each paragraph of the text is indented by itself.
	for part := range strings.SplitSeq(p.Text, "\n") {
		lines, err := s.lines(part, size, s.width()-indent, s.width())
		if err != nil {
			return err
		}
		s.text(lines, size, s.line, indent, p.Align, c)
	}
	s.gapAfter(s.gap)
	return nil
}

func (p Pairs) lay(s *sheet) error {
	t := grid{labels: true}
	if p.Two {
		t.columns = []Column{{Width: 17}, {Width: 33}, {Width: 17}, {Width: 33}}
		for i := 0; i < len(p.Pairs); i += 2 {
			row := []string{p.Pairs[i].Label, p.Pairs[i].Value, "", ""}
			if i+1 < len(p.Pairs) {
				row[2], row[3] = p.Pairs[i+1].Label, p.Pairs[i+1].Value
			}
			t.rows = append(t.rows, row)
		}
	} else {
		t.columns = []Column{{Width: 24}, {Width: 76}}
		for _, q := range p.Pairs {
			t.rows = append(t.rows, []string{q.Label, q.Value})
		}
	}
	return t.lay(s)
}

func (t Table) lay(s *sheet) error {
	return grid{columns: t.Columns, rows: t.Rows, header: true}.lay(s)
}

func (c Picture) lay(s *sheet) error {
	img, err := shrink(c.Data, c.Width*mm, c.Height*mm)
	if err != nil {
		return fmt.Errorf("print the picture %q: %w", c.Caption, err)
	}
	caption, err := s.lines(c.Caption, s.small, s.width(), s.width())
	if err != nil {
		return err
	}
	below := s.small * s.line * float64(len(caption))
	s.need(img.h + below + 2)
	s.mark(image{s.left, s.y, img.w, img.h, img.data})
	s.y += img.h + 2
	if c.Caption != "" {
		s.text(caption, s.small, s.line, 0, Left, grey)
	}
	s.gapAfter(s.gap)
	return nil
}

const signHeight = 15 * mm

func (g Signatures) lay(s *sheet) error {
	width := s.width() / 2
	for i := 0; i < len(g.Signatures); i += 2 {
		s.need(signHeight + 2*s.small*s.line + 4)
		height := 0.0
		for j, sig := range g.Signatures[i:min(i+2, len(g.Signatures))] {
			h, err := s.sign(sig, s.left+float64(j)*width, width-6*mm)
			if err != nil {
				return err
			}
			height = max(height, h)
		}
		s.y += height
		s.gapAfter(s.gap)
	}
	return nil
}

// sign sets one place to sign and reports its height.
func (s *sheet) sign(sig Signature, x, width float64) (float64, error) {
	label, err := s.lines(sig.Label, s.body, width*0.45, width*0.45)
	if err != nil {
		return 0, err
	}
	base := s.y + signHeight - 3
	taken := 0.0
	for i, l := range label {
		taken = max(taken, s.set.measure(l)*s.body)
		s.put(l, x, base-float64(len(label)-1-i)*s.body*1.3, s.body, width, Left, black)
	}
	from := x + taken + 4
	s.mark(line{from, base + 2, x + width, base + 2, 0.5, black})
	if len(sig.Drawn) > 0 {
		img, err := shrink(sig.Drawn, x+width-from-4, signHeight-5)
		if err != nil {
			return 0, fmt.Errorf("print the signature %q: %w", sig.Label, err)
		}
		s.mark(image{from + 2, base + 1 - img.h, img.w, img.h, img.data})
	}
	y := s.y + signHeight + 2
	for _, t := range []string{sig.Name, sig.When} {
		lines, err := s.lines(t, s.small, x+width-from, x+width-from)
		if err != nil {
			return 0, err
		}
		for _, l := range lines {
			if l == "" {
				continue
			}
			s.put(l, from, s.base(y, s.small, 1.4), s.small, x+width-from, Left, grey)
			y += s.small * 1.4
		}
	}
	return y - s.y, nil
}

func (e Seal) lay(s *sheet) error {
	const radius = 20 * mm
	width := s.width() / 2
	place, err := s.lines(e.Place, s.body, width, width)
	if err != nil {
		return err
	}
	const noteSize = 8.5
	note, err := s.lines(e.Note, noteSize, 2*radius, 2*radius)
	if err != nil {
		return err
	}
	date, err := s.lines(e.Date, s.body, width, width)
	if err != nil {
		return err
	}
	pitch := s.body * s.line
	height := max(2*radius, pitch*float64(len(place)+len(date)))
	s.need(height + 4)
	x, y := s.left+width, s.y+(height-pitch*float64(len(place)+len(date)))/2
	s.mark(circle{x + width/2, s.y + height/2, radius, rule})
	for i, l := range note {
		s.put(l, x, s.y+height/2+radius-float64(len(note)-1-i)*noteSize*1.4-6, noteSize, width, Centre, grey)
	}
	for _, l := range append(place, date...) {
		s.put(l, x, s.base(y, s.body, s.line), s.body, width, Centre, black)
		y += pitch
	}
	s.y += height
	s.gapAfter(s.gap)
	return nil
}

func (c Code) lay(s *sheet) error {
	code, err := qr.Encode(c.Content, qr.M)
	if err != nil {
		return fmt.Errorf("draw a QR code: %w", err)
	}
	const side = 26 * mm
	lines, err := s.lines(c.Caption, s.small, s.width()-side-8, s.width()-side-8)
	if err != nil {
		return err
	}
	s.need(side)
	module := side / float64(code.Size+8)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				s.mark(area{s.left + float64(from+4)*module, s.y + float64(y+4)*module, float64(x-from) * module, module, black})
			}
		}
	}
	y := s.y + (side-s.small*1.5*float64(len(lines)))/2
	for _, l := range lines {
		s.put(l, s.left+side+8, s.base(y, s.small, 1.5), s.small, s.width(), Left, grey)
		y += s.small * 1.5
	}
	s.y += max(side, s.small*1.5*float64(len(lines)))
	s.gapAfter(s.gap)
	return nil
}

func (p Space) lay(s *sheet) error { //nolint:unparam // as every block
	s.gapAfter(p.Height * mm)
	return nil
}
