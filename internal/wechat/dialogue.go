package wechat

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// step is the question that a conversation waits for an answer to.
type step string

// The steps: of a report first, then of binding a telephone.
const (
	askAddress   step = "address"
	askPhone     step = "phone"
	askSince     step = "since"
	askTest      step = "test"
	askBindPhone step = "bind_phone"
	askBindCode  step = "bind_code"
)

// dialogueLife is how long a question waits; whoever writes later begins anew.
const dialogueLife = 30 * time.Minute

// notes are what a conversation has gathered. They are sealed, since a telephone is among them.
type notes struct {
	Lang    text.Lang  `json:"lang"`
	Text    string     `json:"text,omitempty"` // what is wrong, in the resident's words
	Address string     `json:"address,omitempty"`
	Point   *geo.Point `json:"point,omitempty"`
	Asked   int        `json:"asked,omitempty"` // how often the address was asked for
	Phone   string     `json:"phone,omitempty"`
	Since   string     `json:"since,omitempty"`
	Test    string     `json:"test,omitempty"`
	Photos  []string   `json:"photos,omitempty"` // media ids that came on the way
	Message string     `json:"message,omitempty"`
}

// intent is what a resident wants, as far as a few words tell.
type intent string

// The intents.
const (
	wantsReport   intent = "report"
	wantsProgress intent = "progress"
	wantsHall     intent = "hall"
	wantsBind     intent = "bind"
	wantsSeat     intent = "seat"
	wantsHelp     intent = "help"
	wantsCancel   intent = "cancel"
	wantsNothing  intent = ""
)

// intents are tried in this order: a complaint that asks for progress is a question about progress.
var intents = []struct {
	want  intent
	words *regexp.Regexp
}{
	{wantsCancel, regexp.MustCompile(`(?i)^(取消|退出|不报了|算了|cancel|stop)[。!！]?$`)},
	{wantsProgress, regexp.MustCompile(`(?i)进度|到哪|办得怎|怎么样了|查询|查件|处理了吗|progress|status`)},
	{wantsBind, regexp.MustCompile(`(?i)^(绑定|解绑|换绑|绑定手机号?|bind)`)},
	{wantsHall, regexp.MustCompile(`(?i)大厅|我的家|账单|退费|交费|缴费|\bhall\b|\bbill|refund`)},
	{wantsSeat, regexp.MustCompile(`(?i)^(人工|转人工|客服|坐席|operator|human)`)},
	{wantsHelp, regexp.MustCompile(`(?i)^(帮助|菜单|你好|您好|\?|？|help|menu|hello|hi)[。!！]?$`)},
	{wantsReport, regexp.MustCompile(`(?i)不热|不暖|没暖气|没有暖气|太冷|很冷|好冷|冰凉|温度低|不供暖|停暖|停热|漏水|跑水|爆管|气堵|报修|投诉|我要反映|no heat|not warm|\bcold\b|leak|report`)},
}

func intentOf(said string) intent {
	said = strings.TrimSpace(said)
	for _, i := range intents {
		if i.words.MatchString(said) {
			return i.want
		}
	}
	return wantsNothing
}

// buttons of the menu carry the same wishes.
func intentOfButton(key string) intent {
	switch i := intent(key); i {
	case wantsReport, wantsProgress, wantsHall, wantsBind, wantsSeat, wantsHelp:
		return i
	case wantsCancel, wantsNothing:
	}
	return wantsHelp
}

// langOf is the language somebody writes in: English when there are Latin letters and no Chinese characters.
func langOf(said string, otherwise text.Lang) text.Lang {
	latin := false
	for _, r := range said {
		if unicode.Is(unicode.Han, r) {
			return text.ZH
		}
		latin = latin || r <= unicode.MaxASCII && unicode.IsLetter(r)
	}
	if latin {
		return text.EN
	}
	if otherwise == "" {
		return text.ZH
	}
	return otherwise
}

var (
	sinceSaid = regexp.MustCompile(`今天|今早|今晨|昨天|昨晚|昨夜|前天|前两天|这两天|[一二两三四五六七八九十0-9]+ ?天|上周|一周|一直|开始供暖`)
	choice    = regexp.MustCompile(`^\s*([1-4])\s*[。.、]?\s*$`)
	sixDigits = regexp.MustCompile(`^\s*([0-9]{6})\s*$`)
)

// sinceIn finds in a complaint when it began.
func sinceIn(said string) string { return sinceSaid.FindString(said) }

// sinceKeys are the answers to "since when" by their digits; what is kept is what a seat would write down.
var sinceKeys = []string{"wechat.since.today", "wechat.since.yesterday", "wechat.since.days", "wechat.since.long"}

func sinceOf(said string) string {
	if m := choice.FindStringSubmatch(said); m != nil {
		return text.T(text.ZH, sinceKeys[m[1][0]-'1'])
	}
	return cut(said, 60)
}

// yesNo reads 1 and 2, and the words that people write instead.
func yesNo(said string) (string, bool) {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(said), "。.!！")) {
	case "1", "是", "要", "要的", "需要", "好", "yes", "y":
		return "yes", true
	case "2", "不", "否", "不要", "不用", "不需要", "no", "n":
		return "no", true
	}
	return "", false
}

// phoneIn is the mobile number in what somebody wrote; empty when there is none.
func phoneIn(said string) string {
	phone := secret.NormalPhone(said)
	if secret.IsMobile(phone) {
		return phone
	}
	return ""
}

// next is the first question of a report that has no answer yet; empty when all is known.
func (n notes) next(needsSince, needsTest bool) step {
	switch {
	case n.Address == "":
		return askAddress
	case n.Phone == "":
		return askPhone
	case needsSince && n.Since == "":
		return askSince
	case needsTest && n.Test == "":
		return askTest
	}
	return ""
}
