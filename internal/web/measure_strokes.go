package web

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"
)

type point struct{ x, y float64 }

var errNoStrokes = errors.New("nothing is drawn")

// parseStrokes reads a drawn name: "x,y x,y;x,y …".
func parseStrokes(s string) ([][]point, error) {
	var out [][]point
	for part := range strings.SplitSeq(s, ";") {
		var line []point
		for at := range strings.FieldsSeq(part) {
			a, b, ok := strings.Cut(at, ",")
			x, errX := strconv.ParseFloat(a, 64)
			y, errY := strconv.ParseFloat(b, 64)
			if !ok || errX != nil || errY != nil {
				return nil, errNoStrokes
			}
			line = append(line, point{x, y})
		}
		if len(line) > 0 {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return nil, errNoStrokes
	}
	return out, nil
}

// Size of the picture that a drawn name becomes, and of its pen.
const (
	signWidth, signHeight = 480, 160
	signPad               = 8.0
	signPen               = 2.2
)

// drawnStrokes makes a picture of a drawn name, fitted into its box.
func drawnStrokes(s string) ([]byte, error) {
	lines, err := parseStrokes(s)
	if err != nil {
		return nil, err
	}
	low, high := lines[0][0], lines[0][0]
	for _, l := range lines {
		for _, p := range l {
			low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	k := min((signWidth-2*signPad)/max(high.x-low.x, 1), (signHeight-2*signPad)/max(high.y-low.y, 1))
	img := image.NewGray(image.Rect(0, 0, signWidth, signHeight))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for _, l := range lines {
		last := l[0]
		for _, p := range l {
			rule(img, point{signPad + (last.x-low.x)*k, signPad + (last.y-low.y)*k}, point{signPad + (p.x-low.x)*k, signPad + (p.y-low.y)*k})
			last = p
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// rule draws a line with a round pen.
func rule(img *image.Gray, a, b point) {
	steps := int(math.Hypot(b.x-a.x, b.y-a.y)) + 1
	for i := range steps + 1 {
		t := float64(i) / float64(steps)
		dot(img, point{a.x + (b.x-a.x)*t, a.y + (b.y-a.y)*t})
	}
}

func dot(img *image.Gray, at point) {
	for y := int(at.y - signPen); y <= int(at.y+signPen)+1; y++ {
		for x := int(at.x - signPen); x <= int(at.x+signPen)+1; x++ {
			if math.Hypot(float64(x)-at.x, float64(y)-at.y) <= signPen {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
}
