package knowledge_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/knowledge"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	from := knowledge.Texts{TitleZH: "室温标准", AnswerZH: "卧室不低于18度。", Source: "条例第10条"}
	for name, c := range map[string]struct {
		to   knowledge.Texts
		want []knowledge.Change
	}{
		"nothing": {from, nil},
		"a figure": {
			knowledge.Texts{TitleZH: "室温标准", AnswerZH: "卧室不低于20度。", Source: "条例第10条"},
			[]knowledge.Change{{Field: "answer_zh", Pieces: []knowledge.Piece{
				{Mark: knowledge.Kept, Text: "卧室不低于"}, {Mark: knowledge.Removed, Text: "18"}, {Mark: knowledge.Added, Text: "20"}, {Mark: knowledge.Kept, Text: "度。"},
			}}},
		},
		"something put in and something taken out": {
			knowledge.Texts{TitleZH: "室内温度标准", AnswerZH: "卧室不低于18度。", MustRead: []actor.Role{actor.RoleSeat}},
			[]knowledge.Change{
				{Field: "title_zh", Pieces: []knowledge.Piece{
					{Mark: knowledge.Kept, Text: "室"}, {Mark: knowledge.Added, Text: "内"}, {Mark: knowledge.Kept, Text: "温"}, {Mark: knowledge.Added, Text: "度"}, {Mark: knowledge.Kept, Text: "标准"},
				}},
				{Field: "source", Pieces: []knowledge.Piece{{Mark: knowledge.Removed, Text: "条例第10条"}}},
				{Field: "must_read", Pieces: []knowledge.Piece{{Mark: knowledge.Added, Text: "seat"}}},
			},
		},
	} {
		if diff := cmp.Diff(c.want, knowledge.Changes(from, c.to)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever the two texts are, what was kept and removed is the old one, and what was kept and added the new one.
func FuzzChanges(f *testing.F) {
	f.Add("卧室不低于18度", "卧室和客厅不低于 20 度")
	f.Add("", "热")
	f.Add("热 ", "")
	f.Fuzz(func(t *testing.T, from, to string) {
		if from == to || len(from) > 2000 || len(to) > 2000 || !utf8.ValidString(from) || !utf8.ValidString(to) {
			return // broken UTF-8 never reaches a version
		}
		var old, now strings.Builder
		for _, p := range knowledge.Changes(knowledge.Texts{HintZH: from}, knowledge.Texts{HintZH: to})[0].Pieces {
			if p.Mark != knowledge.Added {
				old.WriteString(p.Text)
			}
			if p.Mark != knowledge.Removed {
				now.WriteString(p.Text)
			}
		}
		if old.String() != from || now.String() != to {
			t.Errorf("%q to %q gave %q to %q", from, to, old.String(), now.String())
		}
	})
}
