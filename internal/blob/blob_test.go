package blob_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

const city = 990100

var by = actor.SystemFor("test", actor.Command)

// picture is red at the left, blue at the right.
func picture(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 220, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 220, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const gps = "37.87N 112.55E Phone X"

// withEXIF puts an EXIF block with an orientation and a telling text behind the start of a JPEG.
func withEXIF(b []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II")
	if order.String() == "BigEndian" {
		tiff = []byte("MM")
	}
	tiff = order.AppendUint16(tiff, 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(tiff, 0x0112)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, orientation)
	tiff = order.AppendUint16(tiff, 0)
	tiff = order.AppendUint32(tiff, 0)
	body := append([]byte("Exif\x00\x00"), append(tiff, gps...)...)
	out := append([]byte{}, b[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), b[2:]...)
}

// bomb is a PNG of a few bytes that claims to be enormous.
func bomb(t *testing.T) []byte {
	b := asPNG(t, picture(4, 4))
	binary.BigEndian.PutUint32(b[16:], 60000)
	binary.BigEndian.PutUint32(b[20:], 60000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func upload(content []byte, purpose, name string) blob.Upload {
	return blob.Upload{City: city, Subject: "case:1", Purpose: purpose, Name: name, Reader: bytes.NewReader(content)}
}

func TestSaveAndOpen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := blob.New(d, blob.Disk(t.TempDir()))
		raw := withEXIF(asJPEG(t, picture(3000, 1000)), binary.BigEndian, 6)
		saved, err := s.Save(ctx, by, upload(raw, blob.Photo, `C:\fakepath\我家 thermometer.PNG`))
		if err != nil {
			t.Fatal(err)
		}
		if saved.Name != "我家 thermometer.jpg" || saved.MediaType != "image/jpeg" || saved.Received == saved.SHA256 || saved.CreatedBy != by.ID {
			t.Errorf("saved %+v", saved)
		}
		asked := ""
		got, r, err := s.Open(ctx, city, saved.ID, func(subject string) error { asked = subject; return nil })
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		content, err := io.ReadAll(r)
		if err != nil || cmp.Diff(saved, got) != "" || asked != "case:1" {
			t.Errorf("opened %+v, asked for %q, %v", got, asked, err)
		}
		if bytes.Contains(content, []byte(gps)) || bytes.Contains(content, []byte("Exif")) || int64(len(content)) != saved.Size {
			t.Error("the kept photograph still tells where it was taken")
		}
		img, err := jpeg.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		// Orientation 6: the camera was turned, so the left of the pixels is the top of the picture.
		if b := img.Bounds(); b.Dx() != 682 || b.Dy() != 2048 {
			t.Errorf("size %v; want 682 × 2048", b)
		}
		if top, _, _, _ := img.At(300, 100).RGBA(); top>>8 < 180 {
			t.Error("the top is not red: turned the wrong way")
		}
		if _, _, err := s.Open(ctx, city, saved.ID, func(string) error { return fault.New(fault.Denied, "denied.scope") }); !fault.Is(err, fault.NotFound) {
			t.Errorf("opened without right: %v; want NotFound", err)
		}
		if _, _, err := s.Open(ctx, 110000, saved.ID, func(string) error { return nil }); !fault.Is(err, fault.NotFound) {
			t.Errorf("opened from another city: %v; want NotFound", err)
		}
		list, err := db.Read(ctx, d, func(tx *db.Tx) ([]blob.Blob, error) { return blob.Of(ctx, tx, city, "case:1") })
		if err != nil || len(list) != 1 {
			t.Errorf("listed %v, %v", list, err)
		}
	})
}

func TestOrientations(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := blob.New(d, blob.Disk(t.TempDir()))
	img := image.NewRGBA(image.Rect(0, 0, 64, 32)) // one white corner: top left
	for y := range 16 {
		for x := range 16 {
			img.Set(x, y, color.White)
		}
	}
	want := map[uint16]string{1: "left top", 2: "right top", 3: "right bottom", 4: "left bottom", 5: "left top", 6: "right top", 7: "right bottom", 8: "left bottom", 9: "left top"}
	for o, corner := range want {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			saved, err := s.Save(context.Background(), by, upload(withEXIF(asJPEG(t, img), order, o), blob.Photo, "x"))
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Store().Get(context.Background(), saved.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			out, err := jpeg.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			b := out.Bounds()
			if got := corners(out); got != corner || (b.Dx() < b.Dy()) != (o >= 5 && o <= 8) {
				t.Errorf("orientation %d (%v): white corner %s, size %v; want %s", o, order, got, b, corner)
			}
		}
	}
}

func corners(img image.Image) string {
	b := img.Bounds()
	for _, c := range []struct {
		x, y int
		name string
	}{{4, 4, "left top"}, {b.Dx() - 5, 4, "right top"}, {4, b.Dy() - 5, "left bottom"}, {b.Dx() - 5, b.Dy() - 5, "right bottom"}} {
		if r, _, _, _ := img.At(c.x, c.y).RGBA(); r > 0x8000 {
			return c.name
		}
	}
	return "none"
}

func TestRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	dir := t.TempDir()
	s := blob.New(d, blob.Disk(dir))
	whole := asJPEG(t, picture(200, 200))
	var moving bytes.Buffer
	if err := gif.Encode(&moving, picture(4, 4), nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		purpose string
		key     string
	}{
		"program named .jpg": {[]byte("MZ\x90\x00 this is no picture"), blob.Photo, "blob.not_image"},
		"page named .jpg":    {[]byte("<html><script>alert(1)</script>"), "document", "blob.unsupported"},
		"drawing":            {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), blob.Photo, "blob.not_image"},
		"GIF":                {moving.Bytes(), blob.Photo, "blob.not_image"},
		"HEIC":               {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), blob.Photo, "blob.heic"},
		"truncated JPEG":     {whole[:len(whole)/2], blob.Photo, "blob.broken"},
		"truncated PNG":      {asPNG(t, picture(9, 9))[:60], blob.Photo, "blob.broken"},
		"head only":          {whole[:3], blob.Photo, "blob.broken"},
		"bomb":               {bomb(t), blob.Photo, "blob.too_many_pixels"},
		"11 MB":              {append(whole, make([]byte, 11<<20)...), blob.Photo, "blob.too_big"},
		"nothing":            {nil, blob.Photo, "blob.empty"},
		"PDF as photo":       {[]byte("%PDF-1.7\n%%EOF"), blob.Photo, "blob.not_image"},
		"half a PDF":         {[]byte("%PDF-1.7\n1 0 obj"), "document", "blob.broken"},
	} {
		_, err := s.Save(context.Background(), by, upload(c.content, c.purpose, "x.jpg"))
		if f := fault.Of(err); f.Key != c.key || f.Kind != fault.Invalid || !text.Has(f.Key) {
			t.Errorf("%s: %v; want %s", name, err, c.key)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("refused uploads left %d files, %v", len(left), err)
	}
}

func TestAcceptedKinds(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := blob.New(d, blob.Disk(t.TempDir()))
	pdf := []byte("%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n")
	webp, err := os.ReadFile(filepath.Join("testdata", "dot.webp"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		purpose string
		media   string
		end     string
	}{
		"PNG named .jpg": {asPNG(t, picture(10, 10)), blob.Photo, "image/jpeg", ".jpg"},
		"WebP":           {webp, blob.Photo, "image/jpeg", ".jpg"},
		"PDF":            {pdf, "document", "application/pdf", ".pdf"},
	} {
		saved, err := s.Save(context.Background(), by, upload(c.content, c.purpose, "a.exe"))
		if err != nil || saved.MediaType != c.media || !strings.HasSuffix(saved.Name, c.end) {
			t.Errorf("%s: %+v, %v", name, saved, err)
		}
	}
}

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := blob.New(d, blob.Disk(t.TempDir()))
	content := asPNG(t, picture(4, 4))
	for in, want := range map[string]string{
		"../../etc/passwd": "passwd.jpg", "": "file.jpg", "..": "file.jpg", "a\x00b\u202egpj.exe": "abgpj.jpg", "测温单.tar.gz": "测温单.tar.jpg",
		strings.Repeat("温", 300): strings.Repeat("温", 80) + ".jpg", "\xff\xfe": "file.jpg", `<script>"x"</script>`: "script.jpg", "/": "file.jpg",
	} {
		saved, err := s.Save(context.Background(), by, upload(content, blob.Photo, in))
		if err != nil || saved.Name != want {
			t.Errorf("%q became %q, %v; want %q", in, saved.Name, err, want)
		}
	}
}

// TestRecordings: where a recording is wanted only a recording is taken, by its content; elsewhere none is.
func TestRecordings(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	s := blob.New(d, blob.Disk(t.TempDir()))
	amr := append([]byte("#!AMR\n"), bytes.Repeat([]byte{0x3c, 1, 2, 3}, 100)...)
	for name, one := range map[string]struct {
		purpose string
		body    []byte
		key     string
	}{
		"amr":                    {blob.Voice, amr, ""},
		"mp3":                    {blob.Voice, append([]byte("ID3\x04"), amr...), ""},
		"picture as a recording": {blob.Voice, asJPEG(t, picture(8, 8)), "blob.not_recording"},
		"text as a recording":    {blob.Voice, []byte("hello"), "blob.not_recording"},
		"recording as a picture": {blob.Photo, amr, "blob.not_image"},
		"recording as a paper":   {"document", amr, "blob.unsupported"},
	} {
		_, err := s.Keep(t.Context(), blob.Upload{City: city, Purpose: one.purpose, Name: "x", Reader: bytes.NewReader(one.body)})
		if (err == nil) != (one.key == "") || err != nil && fault.Of(err).Key != one.key {
			t.Errorf("%s: %v", name, err)
		}
	}
}
