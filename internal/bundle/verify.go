package bundle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

const (
	mostLine     = 16 << 20 // bytes of a line
	mostProblems = 100      // kept; further ones are only counted
)

// Verification is what the reader knows from elsewhere; both may be left zero.
type Verification struct {
	Root *Root  // a root written down earlier: the file's log must continue it
	Key  string // the installation's public key (base64), as it was published
}

// Problem is one thing in a file that is not as it was sealed. Line counts from 1; Subject, Seq and Field are set where
// they are known.
type Problem struct {
	Line    int64        `json:"line"`
	Subject string       `json:"subject,omitempty"`
	Seq     int64        `json:"seq,omitempty"`
	Field   string       `json:"field,omitempty"`
	Want    string       `json:"expected,omitempty"` // what follows from the rest of the file
	Have    string       `json:"found,omitempty"`    // what stands there
	Message text.Message `json:"message"`
}

// Report says what was checked and what differs.
type Report struct {
	Header   Header    `json:"header"`
	Chains   int64     `json:"chains"`
	Entries  int64     `json:"entries"`
	Leaves   int64     `json:"leaves"`
	Rules    int64     `json:"rules"`
	Claims   int64     `json:"claims"`   // whose money was computed anew
	Unproved int64     `json:"unproved"` // sums of settlements whose claims have changed since
	Refunds  money.Fen `json:"refunds_yuan"`
	Pending  int64     `json:"pending"`   // entries that the log does not hold yet: only the signature vouches for them
	KnownKey bool      `json:"known_key"` // signed by the key that the reader gave; else by the one that the file names
	Problems []Problem `json:"problems"`
	More     int64     `json:"more_problems"`
}

// Valid reports whether everything is as it was sealed.
func (r Report) Valid() bool { return len(r.Problems) == 0 }

// Verify checks an export without a database: every chain, its head in the log, the log's root against one written down
// earlier, and the signature. It goes on after a difference, so that one changed byte is told from a forged file. The
// error is Invalid with the number of problems when there are any; other errors mean that the file could not be read.
func Verify(r io.Reader, o Verification) (Report, error) {
	v := &verifier{o: o, in: bufio.NewReaderSize(r, 64<<10), sum: newDigests(), state: started}
	for {
		raw, err := v.readLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.report, err
		}
		v.take(raw)
	}
	if v.state != over && !v.cut {
		v.problem(Problem{}, "bundle.cut")
	}
	if len(v.report.Problems) > 0 {
		n := int64(len(v.report.Problems)) + v.report.More
		return v.report, fault.New(fault.Invalid, "bundle.differs", "count", n, "first", v.report.Problems[0].Message)
	}
	return v.report, nil
}

// state is how far into a file the verifier is; sorts of lines come in this order.
type state int

const (
	started state = iota // wants the header
	bodies               // leaves and chains
	rules
	terms
	homes
	settlements
	claims
	sums
	books
	totals // has seen the end line, wants the signature
	over
)

type verifier struct {
	o      Verification
	in     *bufio.Reader
	line   int64
	sum    digests
	state  state
	cut    bool
	report Report

	chain   audit.Chain
	open    bool // inside a chain
	doubt   *doubt
	last    string // subject of the chain before, within a leaf
	leaf    int64
	heads   map[string]audit.LeafHead // of the leaf
	logged  bool                      // the entry that the leaf names has gone by
	rule    string                    // path of the rule before
	counted endLine
	money   ledger
}

// doubt is an entry whose hash and body do not fit: the next line tells which of the two was changed.
type doubt struct {
	at       int // index in Problems
	computed string
}

func (v *verifier) problem(p Problem, key string, pairs ...any) {
	p.Line = v.line
	p.Message = text.Msg(key, pairs...)
	if len(v.report.Problems) == mostProblems {
		v.report.More++
		return
	}
	v.report.Problems = append(v.report.Problems, p)
}

// readLine gives the next line with its newline; a last line without one is a problem, since the file was cut.
func (v *verifier) readLine() ([]byte, error) {
	var raw []byte
	v.line++
	for {
		part, err := v.in.ReadSlice('\n')
		raw = append(raw, part...)
		switch {
		case err == nil:
			return raw, nil
		case errors.Is(err, bufio.ErrBufferFull) && len(raw) <= mostLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fault.New(fault.Invalid, "bundle.long_line", "line", v.line)
		case errors.Is(err, io.EOF) && len(raw) == 0:
			v.line--
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			v.cut = true
			v.problem(Problem{}, "bundle.cut")
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("read line %d: %w", v.line, err)
		}
	}
}

// take checks one line.
func (v *verifier) take(raw []byte) {
	var l line
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		v.sum.add("", raw)
		v.problem(Problem{}, "bundle.unreadable", "line", v.line)
		return
	}
	if again, err := encode(l); err != nil || !bytes.Equal(again, raw) || l.section() == "" {
		v.problem(Problem{}, "bundle.spelling", "line", v.line)
	}
	if l.Signature != nil {
		v.signature(*l.Signature)
		return
	}
	v.sum.add(l.section(), raw)
	switch {
	case l.Header != nil:
		v.header(*l.Header)
	case l.Leaf != nil:
		v.enter(bodies)
		v.nextLeaf(*l.Leaf)
	case l.Entry != nil:
		v.enter(bodies)
		v.entry(*l.Entry)
	case l.Head != nil:
		v.enter(bodies)
		v.head(*l.Head)
	case l.Rule != nil:
		v.enter(rules)
		v.counted.Rules++
		if l.Rule.Path <= v.rule {
			v.problem(Problem{Field: l.Rule.Path}, "bundle.order", "line", v.line)
		}
		v.rule = l.Rule.Path
	case l.Terms != nil, l.Home != nil, l.Settlement != nil, l.Claim != nil, l.Total != nil, l.Books != nil:
		v.refunds(l)
	case l.End != nil:
		v.enter(totals)
		v.end(*l.End)
	}
}

// enter moves on to a sort of line; going back, or skipping the header, is a problem.
func (v *verifier) enter(s state) {
	if v.open && s != bodies {
		v.problem(Problem{Subject: v.chain.Subject}, "bundle.no_head", "subject", v.chain.Subject)
		v.open = false
	}
	if v.state == started || v.state > s || v.state == over {
		v.problem(Problem{}, "bundle.order", "line", v.line)
	}
	v.state = max(s, v.state)
}

func (v *verifier) header(h Header) {
	if v.state != started {
		v.problem(Problem{}, "bundle.order", "line", v.line)
		return
	}
	v.state = bodies
	v.report.Header = h
	v.leaf = -1
	if about := h.Format == refundFormat; !about && h.Format != auditFormat || about != (h.Scope != nil) || h.Version != formatVersion {
		v.problem(Problem{Field: "format"}, "bundle.format", "format", h.Format, "version", h.Version)
	}
	if h.Root.City != h.City {
		v.problem(Problem{Field: "city"}, "bundle.header", "field", "city")
	}
	if !h.Root.Verify() {
		v.problem(Problem{Field: "root"}, "bundle.root_signature")
	}
	v.report.KnownKey = v.o.Key != "" && v.o.Key == h.Root.Key
	if v.o.Key != "" && v.o.Key != h.Root.Key {
		v.problem(Problem{Field: "key"}, "bundle.other_key")
	}
	if v.o.Root != nil {
		v.continues(h, *v.o.Root)
	}
}

// continues checks that the file's log continues a root written down earlier.
func (v *verifier) continues(h Header, root Root) {
	field := Problem{Field: "root"}
	switch {
	case root.Size > h.Root.Size:
		v.problem(field, "bundle.root_ahead", "have", h.Root.Size, "want", root.Size)
		return
	case root.Size == h.Root.Size && root.Hash != h.Root.Hash:
		v.problem(field, "bundle.root_differs", "size", root.Size)
		return
	case root.Size == h.Root.Size, root.Size == 0:
		return
	}
	for _, e := range h.Earlier {
		if e.Size != root.Size {
			continue
		}
		if tlog.CheckTree(e.Proof, h.Root.Size, h.Root.Hash, root.Size, root.Hash) != nil {
			v.problem(field, "bundle.root_differs", "size", root.Size)
		}
		return
	}
	v.problem(field, "bundle.root_unproved", "size", root.Size)
}

func (v *verifier) nextLeaf(l leafLine) {
	v.counted.Leaves++
	at := Problem{Field: "leaf"}
	if v.open {
		v.problem(Problem{Subject: v.chain.Subject}, "bundle.no_head", "subject", v.chain.Subject)
		v.open = false
	}
	if l.Idx <= v.leaf {
		v.problem(at, "bundle.order", "line", v.line)
	}
	v.leaf, v.last, v.heads = l.Idx, "", map[string]audit.LeafHead{}
	root := v.report.Header.Root
	if l.Idx < 0 || l.Idx >= root.Size || tlog.CheckRecord(l.Proof, root.Size, root.Hash, l.Idx, tlog.RecordHash([]byte(l.Body))) != nil {
		v.problem(at, "bundle.not_in_log", "leaf", l.Idx)
	}
	var leaf audit.Leaf
	if err := json.Unmarshal([]byte(l.Body), &leaf); err != nil {
		v.problem(at, "bundle.unreadable", "line", v.line)
		return
	}
	for _, h := range leaf.Heads {
		v.heads[h.Subject] = h
	}
}

func (v *verifier) entry(e entryLine) {
	v.counted.Entries++
	if v.open && e.Subject != v.chain.Subject && e.Seq == 1 {
		v.problem(Problem{Subject: v.chain.Subject}, "bundle.no_head", "subject", v.chain.Subject)
		v.open = false
	}
	if !v.open {
		v.start(e.Subject)
	}
	v.settle(e.Prev)
	err := v.chain.Add(audit.Entry{
		City: v.report.Header.City, ID: e.ID, Subject: e.Subject, Seq: e.Seq, At: e.At, Act: e.Act, Actor: e.Actor, Org: e.Org,
		Door: actor.Door(e.Door), Body: e.Body, Prev: e.Prev, Hash: e.Hash,
	})
	if err != nil {
		f := fault.Of(err)
		field, _ := f.Params["field"].(string)
		if field == "body" && f.Key == "audit.broken" && len(v.report.Problems) < mostProblems {
			v.doubt = &doubt{at: len(v.report.Problems), computed: audit.Link(e.Prev, e.Body)}
		}
		v.problem(Problem{Subject: e.Subject, Seq: e.Seq, Field: field}, f.Key, "subject", e.Subject, "seq", e.Seq, "field", field)
	}
	if v.report.Header.Format == refundFormat {
		v.chained(e)
	}
	if h, ok := v.heads[e.Subject]; ok && h.Seq == e.Seq {
		v.logged = true
		if h.Hash != e.Hash && err == nil {
			v.problem(Problem{Subject: e.Subject, Seq: e.Seq, Field: "hash"}, "bundle.rewritten", "subject", e.Subject, "seq", e.Seq)
		}
	}
}

// start begins a chain; within a leaf chains stand in the order of their subjects.
func (v *verifier) start(subject string) {
	if subject <= v.last {
		v.problem(Problem{Subject: subject, Field: "subject"}, "bundle.order", "line", v.line)
	}
	v.open, v.last, v.logged, v.doubt = true, subject, false, nil
	v.chain = audit.Chain{}
}

// settle decides a doubt by the hash that the next line names.
func (v *verifier) settle(named string) {
	d := v.doubt
	v.doubt = nil
	if d == nil || named != d.computed {
		return
	}
	v.chain.Hash = d.computed
	p := &v.report.Problems[d.at]
	p.Field = "hash"
	p.Message = text.Msg("audit.broken", "subject", p.Subject, "seq", p.Seq, "field", p.Field)
}

func (v *verifier) head(h headLine) {
	v.counted.Chains++
	if !v.open {
		v.problem(Problem{Subject: h.Subject}, "bundle.order", "line", v.line)
		return
	}
	v.settle(h.Hash)
	v.open = false
	at := Problem{Subject: v.chain.Subject, Seq: v.chain.Seq}
	for _, f := range []struct {
		name string
		same bool
	}{{"subject", h.Subject == v.chain.Subject}, {"seq", h.Seq == v.chain.Seq}, {"hash", h.Hash == v.chain.Hash}} {
		if !f.same {
			at.Field = f.name
			v.problem(at, "bundle.head", "subject", v.chain.Subject, "field", f.name)
		}
	}
	logged, ok := v.heads[v.chain.Subject]
	switch {
	case h.Logged != logged.Seq:
		at.Field = "logged"
		v.problem(at, "bundle.head", "subject", v.chain.Subject, "field", "logged")
	case ok && !v.logged:
		at.Field = "seq"
		v.problem(at, "bundle.shortened", "subject", v.chain.Subject, "seq", logged.Seq)
	}
	v.report.Pending += max(0, v.chain.Seq-logged.Seq)
}

func (v *verifier) end(e endLine) {
	r := &v.report
	r.Chains, r.Entries, r.Leaves, r.Rules, r.Claims = v.counted.Chains, v.counted.Entries, v.counted.Leaves, v.counted.Rules, v.counted.Claims
	if r.Header.Format == refundFormat {
		v.closeBooks()
	}
	for _, n := range []struct {
		name       string
		have, want int64
	}{
		{"chains", r.Chains, e.Chains},
		{"entries", r.Entries, e.Entries},
		{"leaves", r.Leaves, e.Leaves},
		{"rules", r.Rules, e.Rules},
		{"claims", r.Claims, e.Claims},
	} {
		if n.have != n.want {
			v.problem(Problem{Field: n.name}, "bundle.count", "field", n.name, "have", n.have, "want", n.want)
		}
	}
	have := v.sum.sections(r.Header.Format)
	for _, s := range sections(r.Header.Format) {
		if e.Sections[s] != have[s] {
			v.problem(Problem{Field: s}, "bundle.section", "section", s)
		}
	}
}

func (v *verifier) signature(s signatureLine) {
	if v.state != totals {
		v.problem(Problem{}, "bundle.order", "line", v.line)
	}
	v.state = over
	sum := v.sum.sum()
	if s.SHA256 != sum {
		v.problem(Problem{Field: "sha256"}, "bundle.sum")
	}
	if !signed(v.report.Header.Root.Key, exportMessage(sum), s.Ed25519) {
		v.problem(Problem{Field: "ed25519"}, "bundle.signature")
	}
}
