package paper

import "slices"

// grid is a ruled table.
type grid struct {
	columns []Column
	rows    [][]string
	header  bool
	labels  bool // every other column names what follows it
}

const (
	padX = 4.0
	padY = 3.0
)

// lay sets the rows one below the other. A row that fits on a page is never torn; one that does not is continued.
func (g grid) lay(s *sheet) error {
	widths := g.widths(s.width())
	var head [][]string
	if g.header {
		titles := make([]string, len(g.columns))
		for i, c := range g.columns {
			titles[i] = c.Title
		}
		var err error
		if head, err = g.cells(s, titles, widths); err != nil {
			return err
		}
	}
	pitch := s.cell * 1.4
	full := s.end() - s.top - g.height(head, pitch)
	s.need(g.height(head, pitch) + pitch + 2*padY)
	if head != nil {
		g.draw(s, head, widths, true)
	}
	for _, r := range g.rows {
		cells, err := g.cells(s, r, widths)
		if err != nil {
			return err
		}
		for cells != nil {
			h := g.height(cells, pitch)
			room := s.end() - s.y
			switch {
			case h <= room+0.01:
				g.draw(s, cells, widths, false)
				cells = nil
				continue
			case h > full && room >= pitch+2*padY:
				n := int((room - 2*padY) / pitch)
				var now [][]string
				now, cells = cut(cells, n)
				g.draw(s, now, widths, false)
			}
			s.turn()
			if head != nil {
				g.draw(s, head, widths, true)
			}
		}
	}
	s.gapAfter(s.gap)
	return nil
}

func (g grid) widths(all float64) []float64 {
	sum := 0.0
	for _, c := range g.columns {
		sum += max(c.Width, 0.01)
	}
	out := make([]float64, len(g.columns))
	for i, c := range g.columns {
		out[i] = all * max(c.Width, 0.01) / sum
	}
	return out
}

// cells wraps a row; a row shorter than the columns is filled, a longer one is given its last cell whole.
func (g grid) cells(s *sheet, row []string, widths []float64) ([][]string, error) {
	out := make([][]string, len(widths))
	for i := range widths {
		t := ""
		if i < len(row) {
			t = row[i]
		}
		if i == len(widths)-1 {
			for _, more := range row[min(len(row), len(widths)):] {
				t += " " + more
			}
		}
		lines, err := s.lines(t, s.cell, widths[i]-2*padX, widths[i]-2*padX)
		if err != nil {
			return nil, err
		}
		out[i] = lines
	}
	return out, nil
}

func (g grid) height(cells [][]string, pitch float64) float64 {
	if cells == nil {
		return 0
	}
	most := 1
	for _, c := range cells {
		most = max(most, len(c))
	}
	return float64(most)*pitch + 2*padY
}

// cut takes the first n lines of each cell.
func cut(cells [][]string, n int) (now, rest [][]string) {
	n = max(n, 1)
	now, rest = make([][]string, len(cells)), make([][]string, len(cells))
	for i, c := range cells {
		k := min(n, len(c))
		now[i], rest[i] = c[:k], slices.Clone(c[k:])
	}
	return now, rest
}

func (g grid) draw(s *sheet, cells [][]string, widths []float64, head bool) {
	pitch := s.cell * 1.4
	h := g.height(cells, pitch)
	x, right := s.left, s.left+s.width()
	for i, c := range cells {
		named := head || g.labels && i%2 == 0
		if named {
			s.mark(area{x, s.y, widths[i], h, tint})
		}
		align := Left
		switch {
		case head:
			align = Centre
		case i < len(g.columns):
			align = g.columns[i].Align
		}
		y := s.y + padY
		if named {
			y = s.y + (h-pitch*float64(len(c)))/2
		}
		for _, l := range c {
			s.put(l, x+padX, s.base(y, s.cell, 1.4), s.cell, widths[i]-2*padX, align, black)
			y += pitch
		}
		x += widths[i]
	}
	x = s.left
	for i := range len(widths) + 1 {
		s.mark(line{x, s.y, x, s.y + h, 0.5, rule})
		if i < len(widths) {
			x += widths[i]
		}
	}
	s.mark(line{s.left, s.y, right, s.y, 0.5, rule})
	s.mark(line{s.left, s.y + h, right, s.y + h, 0.5, rule})
	s.y += h
}
