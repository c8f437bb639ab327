package paper

// Millimetres to points.
const mm = 72 / 25.4

// A4.
const (
	pageWidth  = 210 * mm
	pageHeight = 297 * mm
)

// look is the measures of a style, in points.
type look struct {
	main                     face
	top, bottom, left, right float64 // margins
	body, small, title, line float64 // sizes, and the distance of body lines in sizes
	cell                     float64 // size inside tables
	gap                      float64 // between blocks
}

func (s Style) look() look {
	if s == Official {
		return look{
			main: serif, top: 37 * mm, bottom: 35 * mm, left: 28 * mm, right: 26 * mm,
			body: 15.75, small: 14, title: 22, line: 225 * mm / 22 / 15.75, cell: 12, gap: 0,
		}
	}
	return look{
		main: sans, top: 18 * mm, bottom: 18 * mm, left: 20 * mm, right: 18 * mm,
		body: 10.5, small: 8.5, title: 18, line: 1.55, cell: 10, gap: 7,
	}
}

type colour struct{ r, g, b uint8 }

var (
	black = colour{}
	grey  = colour{110, 110, 110}
	rule  = colour{150, 150, 150}
	tint  = colour{242, 242, 242}
	red   = colour{200, 0, 0}
)

// Marks on a page, in points from the upper left corner.
type (
	word struct {
		x, y, size float64 // y is the base line
		text       string
		colour     colour
	}
	line struct {
		x1, y1, x2, y2, width float64
		colour                colour
	}
	area struct {
		x, y, w, h float64
		colour     colour
	}
	image struct {
		x, y, w, h float64
		data       []byte
	}
	circle struct {
		x, y, r float64
		colour  colour
	}
)

// sheet is a document while it is laid out: pages of marks and the place of the next.
type sheet struct {
	look
	set   *setting
	doc   Document
	pages [][]any
	y     float64
}

func (s *sheet) width() float64 { return pageWidth - s.left - s.right }
func (s *sheet) end() float64   { return pageHeight - s.bottom }

func (s *sheet) turn() {
	s.pages = append(s.pages, nil)
	s.y = s.top
}

func (s *sheet) mark(m any) {
	n := len(s.pages) - 1
	s.pages[n] = append(s.pages[n], m)
}

// need turns the page unless so much height is left; what is higher than a page starts where it stands.
func (s *sheet) need(h float64) {
	if s.y+h > s.end()+0.01 && s.y > s.top {
		s.turn()
	}
}

// gapAfter leaves the distance between blocks, but none at the head of a page.
func (s *sheet) gapAfter(h float64) {
	if s.y > s.top {
		s.y = min(s.y+h, s.end())
	}
}

// lines wraps a text at a size.
func (s *sheet) lines(t string, size, first, width float64) ([]string, error) {
	if err := s.set.learn(clean(t)); err != nil {
		return nil, err
	}
	return wrap(t, first, width, func(u string) float64 { return s.set.measure(u) * size }), nil
}

// put sets one line within a width at a base line.
func (s *sheet) put(t string, x, base, size, width float64, align Align, c colour) {
	if t == "" {
		return
	}
	free := width - s.set.measure(t)*size
	switch align {
	case Left:
	case Centre:
		x += free / 2
	case Right:
		x += free
	}
	s.mark(word{x: x, y: base, size: size, text: t, colour: c})
}

// text sets lines down the page, turning it as needed.
func (s *sheet) text(lines []string, size, pitch, indent float64, align Align, c colour) {
	for i, l := range lines {
		s.need(size * pitch)
		x, width := s.left, s.width()
		if i == 0 {
			x, width = x+indent, width-indent
		}
		s.put(l, x, s.base(s.y, size, pitch), size, width, align, c)
		s.y += size * pitch
	}
}

// base is the base line of a line that starts at y.
func (s *sheet) base(y, size, pitch float64) float64 { return y + size*pitch/2 + size*0.36 }
