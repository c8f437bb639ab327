package clue

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// Reading is what the program reads in a post, with the reason line by line.
type Reading struct {
	Guess       Guess
	Category    string
	Urgency     citypack.Urgency
	Temperature *celsius.Tenths
	Care        string
	Where       territory.Answer
	Why         []text.Message
}

// Said is a post as it is classified.
type Said struct {
	Text  string
	Where territory.Answer // what attribution makes of it
}

// What a post needs to be taken for one about heating.
const (
	enough  = 4
	trade   = 4
	plight  = 3
	home    = 2
	place   = 2
	measure = 3
	other   = -4
)

// Classify reads a post by a city's rules. It is a function of its arguments: the same post is read the same way again.
func Classify(p *citypack.Pack, in Said) Reading {
	r := reading{pack: p, in: in, flat: plain(in.Text), out: Reading{Where: in.Where, Urgency: citypack.Normal}}
	r.topic()
	r.category()
	r.where()
	r.urgency()
	return r.out
}

type reading struct {
	pack  *citypack.Pack
	in    Said
	flat  string
	score int
	out   Reading
}

func (r *reading) say(key string, pairs ...any) {
	r.out.Why = append(r.out.Why, text.Msg(key, pairs...))
}

// weigh adds what words of one kind say; more of them say it more surely, up to twice.
func (r *reading) weigh(words []string, weight int, key string) bool {
	hits := found(r.flat, words)
	if len(hits) == 0 {
		return false
	}
	sum := weight * min(len(hits), 2)
	r.score += sum
	r.say(key, "words", joined(hits), "points", signed(sum))
	return true
}

func signed(n int) string {
	if n > 0 {
		return "+" + count(n)
	}
	return count(n)
}

// topic decides what a post is about.
func (r *reading) topic() {
	of := r.weigh(tradeWords, trade, "clue.why.trade")
	ill := r.weigh(plightWords, plight, "clue.why.plight")
	athome := r.weigh(homeWords, home, "clue.why.home")
	if r.in.Where.Community != nil {
		r.score += place
		r.say("clue.why.names_place", "words", r.in.Where.Community.Name, "points", signed(place))
	}
	if t, said, ok := temperatureIn(r.flat); ok {
		r.out.Temperature = &t
		r.score += measure
		r.say("clue.why.temperature", "said", said, "value", oneDecimal(t), "points", signed(measure))
	}
	r.weigh(elseWords, other, "clue.why.else")
	adverts := found(r.flat, advertWords)
	hearsay := found(r.flat, hearsayWords)
	switch {
	case len(adverts) >= 2 || len(adverts) == 1 && !ill && r.out.Temperature == nil && !athome:
		r.out.Guess = Advert
		r.say("clue.why.advert", "words", joined(adverts))
	case r.score < enough || !of && !ill && r.out.Temperature == nil:
		r.out.Guess = OtherTopic
		r.say("clue.why.below", "score", count(r.score), "enough", count(enough))
	case len(hearsay) > 0 && r.out.Temperature == nil && (r.in.Where.Community == nil || r.in.Where.Building == ""):
		r.out.Guess = Hearsay
		r.say("clue.why.hearsay", "words", joined(hearsay))
	default:
		r.out.Guess = Heating
		r.say("clue.why.above", "score", count(r.score), "enough", count(enough))
	}
}

// category is the city's own, by its own words.
func (r *reading) category() {
	if r.out.Guess == Advert || r.out.Guess == OtherTopic {
		return
	}
	g := r.pack.Classify(r.flat)
	if len(g) == 0 {
		r.say("clue.why.no_category")
		return
	}
	c, ok := r.pack.Category(g[0].Code)
	if !ok {
		return
	}
	r.out.Category = c.Code
	r.say("clue.why.category", "category", c.Name.ZH, "words", joined(g[0].Why[:min(len(g[0].Why), 4)]))
}

// where says what attribution makes of the words, and how sure it is.
func (r *reading) where() {
	a := r.in.Where
	switch {
	case a.Community == nil:
		if r.out.Guess != Advert && r.out.Guess != OtherTopic {
			r.say("clue.why.nowhere")
		}
	case a.Decision == territory.Assigned:
		r.say("clue.why.place", "place", a.Community.Name, "building", cmp.Or(a.Building, "-"), "percent", percent(a.Confidence))
	default:
		r.say("clue.why.place_doubtful", "place", a.Community.Name, "percent", percent(a.Confidence))
	}
}

func percent(f float64) string { return count(int(f*100 + 0.5)) }

// urgency is the city's own rule over the category, the words and whoever lives there.
func (r *reading) urgency() {
	if r.out.Guess == Advert || r.out.Guess == OtherTopic {
		return
	}
	care, words := careIn(r.flat)
	r.out.Care = care
	mark := care
	if slices.Contains([]string{"old", "infant", "ill"}, care) {
		mark = "care"
	}
	cat, _ := r.pack.Category(r.out.Category)
	u, rules := r.pack.UrgencyOf(cat, r.flat, mark)
	if care != "" {
		r.say("clue.why.care", "words", joined(words))
	}
	for _, one := range rules {
		r.say("clue.why.rule", "rule", one.Name.ZH)
	}
	if u == citypack.Normal && r.out.Temperature != nil && *r.out.Temperature < veryCold {
		u = citypack.Urgent
		r.say("clue.why.very_cold", "value", oneDecimal(*r.out.Temperature), "limit", oneDecimal(veryCold))
	}
	if cat != nil && u != citypack.Normal && len(rules) == 0 && cat.Urgency == u {
		r.say("clue.why.category_urgent", "category", cat.Name.ZH)
	}
	r.out.Urgency = u
}

// veryCold is the temperature of a home below which nobody waits, a judgement that the person at the queue may overrule.
const veryCold = celsius.Tenths(120)

// careIn is who lives in the home that a post tells of, as the entry standard names it.
func careIn(flat string) (care string, words []string) {
	for _, k := range []struct {
		care  string
		words []string
	}{{"infant", infantWords}, {"old", oldWords}, {"ill", illWords}, {"place", placeWords}} {
		if hits := found(flat, k.words); len(hits) > 0 {
			return k.care, hits
		}
	}
	return "", nil
}

// rank is the place in the queue: leaks and other critical matters, then urgent ones, then heating, then what must be
// answered, then the rest.
func (r Reading) rank() int {
	switch {
	case r.Guess == Heating && r.Urgency == citypack.Critical:
		return 0
	case r.Guess == Heating && r.Urgency == citypack.Urgent:
		return 1
	case r.Guess == Heating:
		return 2
	case r.Guess == Hearsay:
		return 3
	case r.Guess == OtherTopic:
		return 4
	}
	return 5
}

// query is what attribution is asked about a post.
func query(said string, lng, lat *float64) territory.Query {
	return territory.Query{Text: strings.TrimSpace(plain(said)), Lng: lng, Lat: lat}
}
