package bundle

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Inspection says what a look through a city's whole log found.
type Inspection struct {
	Root     SignedRoot `json:"root"`
	Leaves   int64      `json:"leaves"`
	Heads    int64      `json:"heads"`
	Problems []Problem  `json:"problems"`
	More     int64      `json:"more_problems"`
}

// Inspect compares the log with the entries: every head that was ever sealed must still be there with its hash. It finds
// what no export of a single chain can show, an end that was cut off. With a root written down earlier the log itself is
// held against it. The error is Invalid with the number of problems when there are any.
func (s *Service) Inspect(ctx context.Context, by actor.Actor, city int, written *Root) (Inspection, error) {
	if err := by.May(actor.AuditRead, actor.On{City: city}); err != nil {
		return Inspection{}, err
	}
	root, err := s.Root(ctx, city)
	if err != nil {
		return Inspection{}, err
	}
	in := inspector{city: city, out: Inspection{Root: root}}
	if written != nil {
		_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, in.continues(ctx, tx, *written) })
		if err != nil {
			return Inspection{}, err
		}
	}
	for idx := range root.Size {
		_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, in.leaf(ctx, tx, idx) })
		if err != nil {
			return in.out, err
		}
	}
	if p := in.out.Problems; len(p) > 0 {
		return in.out, fault.New(fault.Invalid, "bundle.differs", "count", int64(len(p))+in.out.More, "first", p[0].Message)
	}
	return in.out, nil
}

type inspector struct {
	city int
	out  Inspection
}

func (in *inspector) problem(p Problem, key string, pairs ...any) {
	p.Message = text.Msg(key, pairs...)
	if len(in.out.Problems) == mostProblems {
		in.out.More++
		return
	}
	in.out.Problems = append(in.out.Problems, p)
}

func (in *inspector) continues(ctx context.Context, tx *db.Tx, written Root) error {
	root := in.out.Root
	at := Problem{Field: "root"}
	if written.Size > root.Size {
		in.problem(at, "bundle.root_ahead", "have", root.Size, "want", written.Size)
		return nil
	}
	if written.Size == 0 {
		return nil
	}
	proof, err := audit.ProveRoot(ctx, tx, in.city, root.Size, written.Size)
	if err != nil {
		return err
	}
	if tlog.CheckTree(proof, root.Size, root.Hash, written.Size, written.Hash) != nil {
		in.problem(at, "bundle.root_differs", "size", written.Size)
	}
	return nil
}

func (in *inspector) leaf(ctx context.Context, tx *db.Tx, idx int64) error {
	leaf, err := audit.LeafAt(ctx, tx, in.city, idx)
	if err != nil {
		return err
	}
	proof, err := audit.ProveLeaf(ctx, tx, in.city, in.out.Root.Size, idx)
	if err != nil {
		return err
	}
	if tlog.CheckRecord(proof, in.out.Root.Size, in.out.Root.Hash, idx, tlog.RecordHash([]byte(leaf.Body))) != nil {
		in.problem(Problem{Line: idx, Field: "leaf"}, "bundle.not_in_log", "leaf", idx)
	}
	in.out.Leaves++
	for _, h := range leaf.Heads {
		in.out.Heads++
		hash, found, err := hashOf(ctx, tx, in.city, h.Subject, h.Seq)
		if err != nil {
			return fmt.Errorf("inspect %s: %w", h.Subject, err)
		}
		at := Problem{Line: idx, Subject: h.Subject, Seq: h.Seq}
		switch {
		case !found:
			in.problem(at, "bundle.shortened", "subject", h.Subject, "seq", h.Seq)
		case hash != h.Hash:
			in.problem(at, "bundle.rewritten", "subject", h.Subject, "seq", h.Seq)
		}
	}
	return nil
}
