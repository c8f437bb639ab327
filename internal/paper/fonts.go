package paper

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"weak"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

//go:embed fonts/*.ttf.gz
var files embed.FS

// face is one of the fonts that a document is set in.
type face string

const (
	sans  face = "sans"
	serif face = "serif"
	rare  face = "rare" // the ideographs of GB 18030 that GB 2312 lacks
)

// Press makes documents. Its zero value is ready and may be used by several at once. It holds no font longer than the
// memory is free: unpacked fonts are shared between documents that are made at the same time or soon after one another, and
// go with the next collection.
type Press struct {
	mu    sync.Mutex
	fonts map[face]weak.Pointer[outlines]
}

// outlines is an unpacked font.
type outlines struct {
	data []byte
	font *sfnt.Font
}

func (p *Press) load(f face) (*outlines, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.fonts[f].Value(); have != nil {
		return have, nil
	}
	o, err := unpack(f)
	if err != nil {
		return nil, err
	}
	if p.fonts == nil {
		p.fonts = map[face]weak.Pointer[outlines]{}
	}
	p.fonts[f] = weak.Make(o)
	return o, nil
}

func unpack(f face) (*outlines, error) {
	packed, err := files.ReadFile("fonts/" + string(f) + ".ttf.gz")
	if err != nil {
		return nil, fmt.Errorf("read the font %s: %w", f, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the font %s: %w", f, err)
	}
	// The last four bytes say how long the font is: one buffer, and no copies of it while it grows.
	data := make([]byte, binary.LittleEndian.Uint32(packed[len(packed)-4:]))
	if _, err := io.ReadFull(z, data); err != nil {
		return nil, fmt.Errorf("unpack the font %s: %w", f, err)
	}
	parsed, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the font %s: %w", f, err)
	}
	return &outlines{data: data, font: parsed}, nil
}

// glyph is which font a rune is taken from, what is printed for it and how wide it is in thousandths of the size.
type glyph struct {
	face  face
	shown rune
	width float64
}

// type setting of one document: the fonts it uses and the runes it lacked.
type setting struct {
	press   *Press
	main    face
	fonts   map[face]*outlines
	glyphs  map[rune]glyph
	missing []rune
	buf     sfnt.Buffer
}

const substitute = '〓' // what printers set for a sort they do not have

func (t *setting) use(f face) (*outlines, error) {
	if o := t.fonts[f]; o != nil {
		return o, nil
	}
	o, err := t.press.load(f)
	if err != nil {
		return nil, err
	}
	t.fonts[f] = o
	return o, nil
}

// find looks a rune up in one font.
func (t *setting) find(f face, r rune) (glyph, bool, error) {
	o, err := t.use(f)
	if err != nil {
		return glyph{}, false, err
	}
	index, err := o.font.GlyphIndex(&t.buf, r)
	if err != nil || index == 0 {
		return glyph{}, false, nil //nolint:nilerr // a font that cannot say is a font that has not
	}
	em := o.font.UnitsPerEm()
	advance, err := o.font.GlyphAdvance(&t.buf, index, fixed.I(int(em)), font.HintingNone)
	if err != nil {
		return glyph{}, false, fmt.Errorf("measure %U: %w", r, err)
	}
	return glyph{face: f, shown: r, width: float64(advance) / 64 / float64(em)}, true, nil
}

// learn finds a font for every rune of a text, the rare one being opened only when it is needed.
func (t *setting) learn(s string) error {
	for _, r := range s {
		if _, known := t.glyphs[r]; known || r == '\n' {
			continue
		}
		faces := []face{t.main}
		if r >= 0x2E80 {
			faces = append(faces, rare)
		}
		found := false
		for _, f := range faces {
			g, ok, err := t.find(f, r)
			if err != nil {
				return err
			}
			if ok {
				t.glyphs[r], found = g, true
				break
			}
		}
		if found {
			continue
		}
		g, _, err := t.find(t.main, substitute)
		if err != nil {
			return err
		}
		t.glyphs[r], t.glyphs[substitute] = g, g
		t.missing = append(t.missing, r)
	}
	return nil
}

// measure is the width of a text that was learnt, in sizes.
func (t *setting) measure(s string) float64 {
	w := 0.0
	for _, r := range s {
		w += t.glyphs[r].width
	}
	return w
}

// run is a stretch of text in one font.
type run struct {
	face face
	text string
}

// runs cuts a line by font.
func (t *setting) runs(s string) []run {
	var out []run
	for _, r := range s {
		g := t.glyphs[r]
		if n := len(out); n > 0 && out[n-1].face == g.face {
			out[n-1].text += string(g.shown)
			continue
		}
		out = append(out, run{g.face, string(g.shown)})
	}
	return out
}
