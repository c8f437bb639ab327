package call_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// story makes reports of a call, ten seconds apart, in the order of their kinds.
func story(kinds ...call.Kind) []call.Kept {
	var out []call.Kept
	for n, k := range kinds {
		r := call.Kept{ID: string(rune('a' + n)), Seq: int64(n + 1), At: dbtest.Start.Add(time.Duration(n) * 10 * time.Second), Kind: k}
		switch k {
		case call.Ringing, call.Answered:
			r.Extension, r.Seat = "8001", "ann"
		case call.Transferred, call.Joined:
			r.Company = "C1"
		case call.Recorded:
			r.Recording = "https://rec.example.cn/1"
		default:
		}
		out = append(out, r)
	}
	return out
}

func TestFold(t *testing.T) {
	t.Parallel()
	at := func(n int) civil.Instant { return dbtest.Start.Add(time.Duration(n) * 10 * time.Second) }
	for name, test := range map[string]struct {
		kinds []call.Kind
		want  call.Facts
	}{
		"the menu was enough":  {[]call.Kind{call.Ended}, call.Facts{State: call.Over, ArrivedAt: at(0), EndedAt: at(0)}},
		"gave up in the queue": {[]call.Kind{call.Queued, call.Abandoned}, call.Facts{State: call.Lost, ArrivedAt: at(0), QueuedAt: at(0), EndedAt: at(1), WaitMS: 10_000}},
		"hung up while it rang": {
			[]call.Kind{call.Queued, call.Ringing, call.Ended},
			call.Facts{State: call.Lost, Extension: "8001", Seat: "ann", ArrivedAt: at(0), QueuedAt: at(0), RangAt: at(1), EndedAt: at(2), WaitMS: 20_000},
		},
		"answered": {
			[]call.Kind{call.Queued, call.Ringing, call.Answered, call.Held, call.Resumed, call.Ended, call.Recorded},
			call.Facts{State: call.Over, Extension: "8001", Seat: "ann", ArrivedAt: at(0), QueuedAt: at(0), RangAt: at(1), AnsweredAt: at(2), EndedAt: at(5), WaitMS: 20_000, TalkMS: 30_000, Recording: "https://rec.example.cn/1"},
		},
		"three talk, then the caller is put through": {
			[]call.Kind{call.Ringing, call.Answered, call.Joined, call.Left, call.Transferred, call.Ended},
			call.Facts{State: call.Over, Extension: "8001", Seat: "ann", ArrivedAt: at(0), RangAt: at(0), AnsweredAt: at(1), MovedAt: at(4), EndedAt: at(5), WaitMS: 10_000, TalkMS: 30_000, Company: "C1"},
		},
		"an answer after the end moves nothing": {
			[]call.Kind{call.Ringing, call.Abandoned, call.Answered},
			call.Facts{State: call.Lost, Extension: "8001", Seat: "ann", ArrivedAt: at(0), RangAt: at(0), EndedAt: at(1), WaitMS: 10_000},
		},
	} {
		if diff := cmp.Diff(test.want, call.Fold(story(test.kinds...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// In whatever order reports come, the call is the same.
func TestFoldKnowsNoOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := story(rapid.SliceOfN(rapid.SampledFrom(call.Kinds()), 1, 12).Draw(t, "kinds")...)
		want := call.Fold(all)
		mixed := append([]call.Kept(nil), all...)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, call.Fold(mixed)); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
		if want.WaitMS < 0 || want.TalkMS < 0 || want.Parties < 0 || call.Lifecycle.IsFinal(want.State) == want.EndedAt.IsZero() {
			t.Fatalf("impossible: %+v", want)
		}
	})
}

func TestMayDo(t *testing.T) {
	t.Parallel()
	for state, want := range map[call.State][]call.Verb{
		call.Rings: {call.DoAnswer}, call.InQueue: nil, call.Over: nil, call.Lost: nil, call.Moved: nil, call.Arrived: nil,
		call.Talking: {call.DoHold, call.DoTransfer, call.DoConference, call.DoHangUp},
		call.OnHold:  {call.DoResume, call.DoTransfer, call.DoConference, call.DoHangUp},
	} {
		if diff := cmp.Diff(want, call.MayDo(state)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

func TestReportCheck(t *testing.T) {
	t.Parallel()
	good := call.Report{ID: "1", Call: "c", At: dbtest.Start, Kind: call.Ringing, Caller: "138 0351 0001", Seat: "8001"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*call.Report){
		"no id": func(r *call.Report) { r.ID = "" }, "long call": func(r *call.Report) { r.Call = strings.Repeat("x", 101) },
		"no time": func(r *call.Report) { r.At = 0 }, "negative": func(r *call.Report) { r.Seq = -1 }, "kind": func(r *call.Report) { r.Kind = "sung" },
		"direction": func(r *call.Report) { r.Direction = "up" }, "caller": func(r *call.Report) { r.Caller = "x" },
		"script for a recording": func(r *call.Report) { r.Recording = "javascript:alert(1)" },
		"quote in a recording":   func(r *call.Report) { r.Recording = `https://a/"onclick` },
	} {
		r := good
		change(&r)
		if r.Check() == nil {
			t.Errorf("%s is taken: %+v", name, r)
		}
	}
}
