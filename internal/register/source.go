package register

import (
	"fmt"
	"io"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// source gives the rows of a file, io.EOF after the last. Cells stay what they are.
type source interface {
	next() (record, error)
	close()
	unknown() []string // headers that mean nothing here
}

// largestMap is the most bytes of a GeoJSON file, which is held in memory.
const largestMap = 256 << 20

// open starts reading the file from its beginning, for the first or the second time.
func (w *work) open() (source, error) {
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the file again: %w", err)
	}
	if w.list == nil {
		if err := w.choose(); err != nil {
			return nil, err
		}
	}
	if l, ok := w.list.(*areas); ok {
		return &features{list: l}, nil
	}
	r, err := sheet.Open(w.in.Name, w.file)
	if err != nil {
		return nil, err
	}
	x, err := sheet.Match(r.Header(), w.list.columns()...)
	if err != nil {
		r.Close()
		return nil, err
	}
	return &rows{r, x}, nil
}

// choose makes the reader of the list.
func (w *work) choose() error {
	b := base{w.k}
	switch w.in.Kind {
	case place.Companies:
		w.list = companies{b, map[string]place.Company{}}
	case place.Communities:
		w.list = newCommunities(w.k)
	case place.Buildings:
		w.list = buildings{b}
	case place.Households:
		w.list = &households{base: b}
	case place.Duty:
		w.list = duty{b, w.by, w.only}
	case place.Fees:
		w.list = &fees{base: b, by: w.by, only: w.only, today: w.billed()}
	case place.Areas:
		body, err := io.ReadAll(io.LimitReader(w.file, largestMap+1))
		if err != nil {
			return fmt.Errorf("read the map: %w", err)
		}
		if len(body) > largestMap {
			return fault.New(fault.Invalid, "register.map_too_large", "mb", largestMap>>20)
		}
		list, err := geo.ReadFeatures(body, w.in.CRS)
		if err != nil {
			return err
		}
		w.list = &areas{base: b, features: list, old: w.k.oldAreas}
	}
	return nil
}

// billed is a day of the season whose bills a list holds where it does not say so.
func (w *work) billed() civil.Date {
	if !w.in.From.IsZero() {
		return w.in.From
	}
	return w.s.o.DB.Now().Date()
}

type rows struct {
	r sheet.Reader
	x sheet.Index
}

func (s *rows) next() (record, error) {
	cells, no, err := s.r.Next()
	if err != nil {
		return record{}, err
	}
	return record{no: no, cells: slices.Clone(cells), x: s.x}, nil
}

func (s *rows) close()            { s.r.Close() }
func (s *rows) unknown() []string { return s.x.Unknown }

// features gives the features of a map as rows.
type features struct {
	list *areas
	at   int
}

func (s *features) next() (record, error) {
	if s.at >= len(s.list.features) {
		return record{}, io.EOF
	}
	s.at++
	return s.list.record(s.at - 1)
}

func (*features) close()            {}
func (*features) unknown() []string { return nil }
