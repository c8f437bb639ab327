package sim

import (
	"strings"
	"time"
)

// Centre is how the people of the command centre act on a call, whatever the company does.
type Centre struct {
	Draw         int // a number below 1000, for choices that need no more
	KnowsAccount bool
	AcceptAfter  time.Duration // a report that came by itself
	SendAfter    time.Duration // a case that needs a dispatcher
	Misdirected  int           // the company that is told by mistake, -1 for none
	ReturnAfter  time.Duration // a return is answered
	VerifyAfter  time.Duration
	Fails        bool // the verifier does not believe the company
	CallAfter    time.Duration
	CloseAfter   time.Duration
}

// Centre says how a call is dealt with; round counts what came before.
func (w *Winter) Centre(c Call, round int) Centre {
	r := roll(w.Seed, "centre "+c.Key, round)
	minutes := func(from, to int) time.Duration { return time.Duration(r.between(from, to)) * time.Minute }
	t := Centre{
		Draw: r.n(1000), KnowsAccount: c.Caller.Relation == "本人" && r.chance(700) || r.chance(250),
		AcceptAfter: minutes(2, 11), SendAfter: minutes(2, 13), Misdirected: -1, ReturnAfter: minutes(2, 14),
		VerifyAfter: minutes(15, 190), Fails: r.chance(350), CallAfter: minutes(25, 420), CloseAfter: minutes(2, 55),
	}
	right := w.Supplier(w.Households[c.Household].Building)
	if wrong := r.n(len(w.Companies)); r.chance(180) && wrong != right && round == 0 {
		t.Misdirected = wrong
	}
	return t
}

// Article is one piece of the centre's knowledge.
type Article struct{ Topic, Title, Body string }

// Articles are what the seats answer from.
func Articles() []Article {
	var out []Article
	seen := map[string]bool{}
	for _, list := range [][]topic{askBefore, askFirst, askNormal} {
		for _, t := range list {
			if lines := words("article_" + t.name); !seen[t.name] {
				seen[t.name] = true
				out = append(out, Article{t.name, lines[0], strings.Join(lines[1:], "\n")})
			}
		}
	}
	return out
}

// Answer is what a seat reads out to a question.
func (w *Winter) Answer(c Call) string {
	company := w.Companies[w.Supplier(w.Households[c.Household].Building)]
	lines := words("article_" + c.Topic)
	return strings.NewReplacer("{company}", company.Name, "{phone}", company.Phone).Replace(strings.Join(lines[1:], "\n"))
}

// Say is what somebody writes on an occasion, the same for the same key.
func (w *Winter) Say(occasion, key string) string {
	return pick(roll(w.Seed, "say "+occasion+" "+key), words(occasion))
}
