package bundle

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
)

// digests hash a file as a whole and by sort of line; writing and checking run the same code.
type digests struct {
	all   hash.Hash
	parts map[string]hash.Hash
}

func newDigests() digests {
	d := digests{all: sha256.New(), parts: map[string]hash.Hash{}}
	for _, s := range sections(refundFormat) {
		d.parts[s] = sha256.New()
	}
	return d
}

// add takes a line with its newline.
func (d digests) add(section string, raw []byte) {
	d.all.Write(raw)
	if p, ok := d.parts[section]; ok {
		p.Write(raw)
	}
}

func (d digests) sum() string { return hex.EncodeToString(d.all.Sum(nil)) }

func (d digests) sections(format string) map[string]string {
	out := make(map[string]string, len(d.parts))
	for _, name := range sections(format) {
		out[name] = hex.EncodeToString(d.parts[name].Sum(nil))
	}
	return out
}

// encode writes a line the one way a line is written, newline included.
func encode(l line) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("write an export line: %w", err)
	}
	return b.Bytes(), nil
}

// writer writes an export and keeps what its end line and signature need.
type writer struct {
	out *bufio.Writer
	sum digests
	end endLine

	format string
}

func newWriter(w io.Writer, format string) *writer {
	return &writer{format: format, out: bufio.NewWriterSize(w, 64<<10), sum: newDigests()}
}

func (w *writer) write(l line) error {
	raw, err := encode(l)
	if err != nil {
		return err
	}
	switch {
	case l.Entry != nil:
		w.end.Entries++
	case l.Head != nil:
		w.end.Chains++
	case l.Leaf != nil:
		w.end.Leaves++
	case l.Rule != nil:
		w.end.Rules++
	case l.Claim != nil:
		w.end.Claims++
	}
	w.sum.add(l.section(), raw)
	if _, err := w.out.Write(raw); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

// close writes the totals and signs.
func (w *writer) close(key ed25519.PrivateKey) error {
	w.end.Sections = w.sum.sections(w.format)
	if err := w.write(line{End: &w.end}); err != nil {
		return err
	}
	sum := w.sum.sum()
	sig := ed25519.Sign(key, exportMessage(sum))
	if err := w.write(line{Signature: &signatureLine{SHA256: sum, Ed25519: base64.StdEncoding.EncodeToString(sig)}}); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}
