// Package knowledge is what a seat can look up in the middle of a call: which company serves a street that is easily
// confused, why a radiator gurgles, how a test of the room temperature is asked for.
//
// Every article has a short answer that may be read to a citizen, apart from the hint that stays inside. A version is
// drafted by one person, approved by another and from then on never changed; a case keeps the version it was answered
// with. Figures of the law are not written into articles: they are named ({standard.bedroom}) and filled in from the
// city's rules when the article is read, and what the rules do not know is said to be unknown. An article past its review
// date is shown as stale. Who must read a version is asked until they confirm it, and the proof of that can be printed.
package knowledge

import (
	"slices"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/page"
)

// Kind is the sort of article.
type Kind string

// The kinds.
const (
	Area    Kind = "area"     // 服务区域
	Border  Kind = "border"   // 交界易混淆
	NewArea Kind = "new_area" // 新增区域
	StopOf  Kind = "stop"     // 停热公告
	Law     Kind = "law"      // 法规标准
	Fee     Kind = "fee"      // 收费
	Guide   Kind = "guide"    // 办事指南
	Script  Kind = "script"   // 应答口径
	Duty    Kind = "duty"     // 值班通讯录
	Fault   Kind = "fault"    // 故障常识
	Ruling  Kind = "ruling"   // 历史认定
)

// Kinds lists the kinds in the order of the screen.
func Kinds() []Kind {
	return []Kind{Area, Border, NewArea, StopOf, Law, Fee, Guide, Script, Duty, Fault, Ruling}
}

// State is where a version stands.
type State string

// The states.
const (
	Draft     State = "draft"     // 草稿
	Review    State = "review"    // 审核
	Published State = "published" // 发布
	Withdrawn State = "withdrawn" // 废止
)

// Event moves a version on.
type Event string

// The events.
const (
	Submit   Event = "submit"    // 送审
	Approve  Event = "approve"   // 发布
	SendBack Event = "send_back" // 退回修改
	Withdraw Event = "withdraw"  // 废止
	Discard  Event = "discard"   // 弃稿
)

// Lifecycle is the life of a version. Whoever approves is not who wrote.
var Lifecycle = flow.Table[State, Event]{
	Name: "article", Start: Draft, Final: []State{Withdrawn},
	Steps: []flow.Step[State, Event]{
		{From: Draft, Event: Submit, To: Review, By: string(actor.KnowledgeWrite)},
		{From: Draft, Event: Discard, To: Withdrawn, By: string(actor.KnowledgeWrite)},
		{From: Review, Event: Approve, To: Published, By: string(actor.KnowledgeWrite)},
		{From: Review, Event: SendBack, To: Draft, By: string(actor.KnowledgeWrite)},
		{From: Published, Event: Withdraw, To: Withdrawn, By: string(actor.KnowledgeWrite)},
	},
}

// Texts is what an article says.
type Texts struct {
	TitleZH    string       `db:"title_zh" json:"title_zh" form:"title_zh" yaml:"title_zh"`
	TitleEN    string       `db:"title_en" json:"title_en" form:"title_en" yaml:"title_en"`
	AnswerZH   string       `db:"answer_zh" json:"answer_zh" form:"answer_zh" yaml:"answer_zh"` // may be read to a citizen
	AnswerEN   string       `db:"answer_en" json:"answer_en" form:"answer_en" yaml:"answer_en"`
	HintZH     string       `db:"hint_zh" json:"hint_zh" form:"hint_zh" yaml:"hint_zh"` // stays inside
	HintEN     string       `db:"hint_en" json:"hint_en" form:"hint_en" yaml:"hint_en"`
	Source     string       `db:"source" json:"source" form:"source" yaml:"source"`
	Words      string       `db:"words" json:"words" form:"words" yaml:"words"` // further words it is found by
	Categories []string     `db:"categories,json" json:"categories,omitempty" form:"categories" yaml:"categories"`
	MustRead   []actor.Role `db:"must_read,json" json:"must_read,omitempty" form:"must_read" yaml:"must_read"`
}

// MaxAnswer bounds the answer: about three lines on the screen, half a minute read out.
const MaxAnswer = 300

func (t *Texts) check(c *fault.Check) {
	for _, f := range []struct {
		name string
		text *string
		max  int
		must bool
	}{
		{"title_zh", &t.TitleZH, 60, true},
		{"title_en", &t.TitleEN, 120, false},
		{"answer_zh", &t.AnswerZH, MaxAnswer, true},
		{"answer_en", &t.AnswerEN, 3 * MaxAnswer, false},
		{"hint_zh", &t.HintZH, 2000, false},
		{"hint_en", &t.HintEN, 4000, false},
		{"source", &t.Source, 300, true},
		{"words", &t.Words, 300, false},
	} {
		*f.text = strings.TrimSpace(*f.text)
		c.That(*f.text != "" || !f.must, f.name, "field.required")
		c.That(len([]rune(*f.text)) <= f.max, f.name, "field.too_long", "max", f.max)
		for _, ref := range refsIn(*f.text) {
			c.That(slices.Contains(Refs(), ref), f.name, "knowledge.no_such_ref", "ref", ref)
		}
	}
	for _, r := range t.MustRead {
		c.That(slices.Contains(actor.Roles(), r), "must_read", "field.not_one_of", "allowed", actor.Roles())
	}
}

// Version is one version of an article.
type Version struct {
	City    int    `db:"city_id" json:"city"`
	Article string `db:"article_id" json:"article"`
	No      int    `db:"no" json:"no"`
	Kind    Kind   `db:"kind" json:"kind"`
	Texts
	Search    string        `db:"search" json:"-"`
	State     State         `db:"state" json:"state"`
	Effective civil.Instant `db:"effective_at" json:"effective_at"`
	ReviewOn  civil.Date    `db:"review_on" json:"review_on"`
	Author    string        `db:"author" json:"author"`
	Reviewer  string        `db:"reviewer" json:"reviewer,omitempty"`
	Reason    string        `db:"reason" json:"reason,omitempty"`
	Created   civil.Instant `db:"created_at" json:"created_at"`
	Decided   civil.Instant `db:"decided_at" json:"decided_at"`
	Version   int64         `db:"version" json:"version"`
}

// Stale reports whether the review is overdue; such an article is shown grey.
func (v Version) Stale(now civil.Instant) bool {
	return !v.ReviewOn.IsZero() && v.ReviewOn.Before(now.Date())
}

// Article is what its versions have in common.
type Article struct {
	City    int           `db:"city_id" json:"city"`
	ID      string        `db:"id" json:"id"`
	Code    string        `db:"code" json:"code,omitempty"` // of an article that came with the program
	Kind    Kind          `db:"kind" json:"kind"`
	Owner   string        `db:"owner" json:"owner"`
	LastNo  int           `db:"last_no" json:"last_no"`
	Created civil.Instant `db:"created_at" json:"created_at"`
	Version int64         `db:"version" json:"version"`
}

// Filter narrows the list of versions; empty fields do not.
type Filter struct {
	State State `json:"state" form:"state"`
	Kind  Kind  `json:"kind" form:"kind"`
	page.Request
}

// searchText is what a version is found by: title, words and answer, and the initials of the pinyin of title and words.
func searchText(t Texts) string {
	parts := []string{fold(t.TitleZH), fold(t.TitleEN), fold(t.Words), initials(t.TitleZH)}
	for w := range strings.FieldsSeq(t.Words) {
		parts = append(parts, initials(w))
	}
	return strings.Join(append(parts, fold(t.AnswerZH)), "\n")
}

// fold makes small letters of Latin ones and plain ones of full-width ones.
func fold(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '　':
			return ' '
		}
		return r
	}, s))
}

func initials(s string) string {
	args := pinyin.NewArgs()
	var b strings.Builder
	for _, r := range fold(s) {
		if py := pinyin.SinglePinyin(r, args); len(py) > 0 && py[0] != "" {
			b.WriteByte(py[0][0])
		} else if r < 0x80 && r != ' ' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// rank orders hits: title begins with the query, title or words hold it, anything else.
func rank(v Version, terms []string) int {
	title, worst := fold(v.TitleZH), 0
	for _, t := range terms {
		switch {
		case strings.HasPrefix(title, t), strings.HasPrefix(initials(v.TitleZH), t):
		case strings.Contains(title, t), strings.Contains(fold(v.Words), t):
			worst = max(worst, 1)
		default:
			worst = max(worst, 2)
		}
	}
	return worst
}
