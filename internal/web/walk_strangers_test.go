package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/web"
)

const (
	nowhere  = "00000000-0000-7000-8000-000000000000"
	stranger = "13600000066"
)

// noise is what differs between two answers to the same question: the key of a form and the number of the request.
var noise = regexp.MustCompile(`name="_key" value="[^"]*"|[0-9A-Za-z]{20,}`)

// same fails unless two answers cannot be told apart: status, words, length and head.
func same(t *testing.T, what string, a, b answer, asked ...string) {
	t.Helper()
	clean := func(x answer) string {
		body := x.body
		for _, s := range asked {
			body = strings.ReplaceAll(body, s, "ASKED")
		}
		return noise.ReplaceAllString(body, "")
	}
	head := func(x answer) string {
		names := slices.Sorted(maps.Keys(x.header))
		return strings.Join(slices.DeleteFunc(names, func(n string) bool { return n == "Date" || n == "Content-Length" }), " ")
	}
	if a.status != b.status || clean(a) != clean(b) || head(a) != head(b) {
		t.Errorf("%s can be told apart: %d with %d letters and %s; %d with %d letters and %s", what, a.status, len(clean(a)), head(a), b.status, len(clean(b)), head(b))
	}
}

// nobodys fails when an answer holds what is known of a home or of the people in it.
func nobodys(t *testing.T, what string, a answer) {
	t.Helper()
	for _, s := range []string{"王桂兰", "赵大有", "王**", "13803510001", "13803510002", "138****", "3号楼2单元60", "2420.00", "15.7"} {
		if strings.Contains(a.body, s) {
			t.Errorf("%s says %q to a stranger: %d", what, s, a.status)
		}
	}
}

// secrets are numbers that exist and are somebody else's, for the holes of addresses.
func (k *walk) secrets() map[string][]string {
	k.t.Helper()
	into := map[string]string{}
	for i := 0; i+1 < len(k.holes); i += 2 {
		into[k.holes[i]] = k.holes[i+1]
	}
	c, err := k.app.Cases.ByToken(bg, city, into["{token}"])
	if err != nil {
		k.t.Fatal(err)
	}
	ids := []string{c.ID, c.No, "A1001", into["{document}"], into["{finding}"]}
	return map[string][]string{"{token}": ids, "{document}": ids, "{finding}": ids, "{case}": ids, "{ticket}": ids, "{key}": {strings.Repeat("0", 32), c.ID}}
}

// Whoever tries numbers over all pages of residents learns nothing: what is somebody else's and what is not there at all are answered
// alike, to nobody and to another resident with a matter of their own, by reading and by sending; and nothing of anybody stands in any answer.
func TestAStrangerLearnsNothingFromAnyAddress(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	real := k.secrets()
	other := k.enter(stranger)
	sent := other.post(residents+"/report", reported("_key", "other", "address", "明月里1号楼", "phone", stranger, "test_request", "yes")).want(http.StatusSeeOther).location()
	own := strings.TrimSuffix(sent[strings.LastIndex(sent, "/")+1:], "?new=1")
	hole := regexp.MustCompile(`\{[a-z_]+\}`)
	tried := 0
	for _, r := range k.pages.Routes() {
		if !strings.HasPrefix(r.Pattern, residentsOf) && !strings.HasPrefix(r.Pattern, "/c/{city}/answer/") || strings.Count(r.Pattern, "{") < 2 {
			continue
		}
		pattern := strings.Replace(r.Pattern, "{city}", "990100", 1)
		for who, c := range map[string]*client{"nobody": k.anyone(), "another resident": other} {
			ask := func(path string) answer {
				a := c.send(r.Method, path, url.Values{"_key": {"k" + path}, "version": {"1"}, "reason": {"x"}, "yes": {"true"}, "answer": {"yes"}, "text": {"x"}})
				nobodys(t, r.Method+" "+r.Pattern+" as "+who, a)
				if a.status >= 500 || a.status == http.StatusOK && strings.Contains(r.Pattern, "{document}") {
					t.Errorf("%s %s as %s: %d", r.Method, r.Pattern, who, a.status)
				}
				return a
			}
			for _, first := range []string{nowhere, own} { // own: their own receipt opens nothing of others
				holes := hole.FindAllString(pattern, -1)
				if first == own && (who == "nobody" || holes[0] != "{token}" || len(holes) < 2) {
					continue
				}
				base := pattern
				if first == own {
					base, holes = strings.Replace(base, "{token}", own, 1), holes[1:]
				}
				none := ask(hole.ReplaceAllString(base, nowhere))
				for _, h := range holes {
					for _, value := range real[h] {
						got := ask(hole.ReplaceAllString(strings.Replace(base, h, value, 1), nowhere))
						same(t, fmt.Sprintf("%s %s with %s %s as %s", r.Method, r.Pattern, h, value, who), none, got, value, nowhere)
						tried++
					}
				}
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

const residentsOf = "/c/{city}/m"

// The same for households, bindings and matters that are named in a question or in a form.
func TestAStrangerLearnsNothingFromAnyForm(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	other := k.enter(stranger)
	for _, r := range k.pages.Routes() {
		if r.Method == http.MethodGet && strings.HasPrefix(r.Pattern, residentsOf) && strings.Count(r.Pattern, "{") == 1 {
			path := strings.Replace(r.Pattern, "{city}", "990100", 1)
			for _, c := range []*client{k.anyone(), other} {
				there, not := c.get(path+"?home=A1002"), c.get(path+"?home=A9999")
				same(t, path+"?home=", there, not, "A1002", "A9999")
				nobodys(t, path, there)
			}
		}
	}
	kin := found(t, k.holder.get(residents+"/home/people?home=A1001"), `name="id" value="([0-9a-f-]{36})"`)
	sent := k.holder.get(residents + "/home").want(http.StatusOK)
	no := found(t, sent, `(RX[0-9]{8}-[0-9]{5})`)
	for n, x := range []struct {
		path           string
		there, nowhere string
		form           func(value string) url.Values
	}{
		{"/home/people", "A1002", "A9999", func(v string) url.Values {
			return fields("home", v, "phone", child, "scope", "act", "days", "30")
		}},
		{"/home/test", "A1002", "A9999", func(v string) url.Values { return fields("home", v, "when", "2026-01-19 pm") }},
		{"/home/end", kin, nowhere, func(v string) url.Values { return fields("home", "A1001", "id", v, "version", "1") }},
		{"/bind", "A1002", "A9999", func(v string) url.Values { return fields("account", v, "proof", "last4", "value", "9999") }},
		{"/bind", "A1002", "A9998", func(v string) url.Values { return fields("account", v, "proof", "bill", "value", "1.00") }},
		{"/bind", "A1002", "A9997", func(v string) url.Values { return fields("account", v, "proof", "holder_code", "value", "000000") }},
		{"/bind/code", "A1002", "A9996", func(v string) url.Values { return fields("account", v) }},
		{"/follow", no, "RX20260115-99999", func(v string) url.Values { return fields("no", v, "phone", stranger) }},
	} {
		if x.path == "/bind" { // each resident may try a few times only
			other = k.enter(fmt.Sprintf("1360000007%d", n))
		}
		asked := func(value string, n int) answer {
			in := x.form(value)
			in.Set("_key", fmt.Sprint(x.path, value, n))
			a := other.post(residents+x.path, in)
			nobodys(t, x.path, a)
			return a
		}
		there, not := asked(x.there, 1), asked(x.nowhere, 2)
		same(t, x.path+" with "+x.there, there, not, x.there, x.nowhere)
		if x.path != "/bind/code" && there.status < 400 { // a code is promised to whoever asks, and sent to the telephone on file
			t.Errorf("%s with %s: %d", x.path, x.there, there.status)
		}
	}
}

// A code is promised in the same words to a telephone that is known and to one that is not, and the code itself stands in no page and in
// no line of the log; whoever asks for more or guesses is told to wait.
func TestCodesAreNotForTheTaking(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	k.clock.Advance(time.Hour)
	const known, unknown = child, "13600000067"
	c := k.anyone()
	ask := func(phone string) answer {
		return c.post(residents+"/enter", fields("_key", "a"+phone, "phone", phone))
	}
	a, b := ask(known), ask(unknown)
	same(t, "a known telephone", a, b, known, unknown)
	code := k.code(known)
	for _, words := range []string{a.body, b.body, k.log.String()} {
		if strings.Contains(words, code) {
			t.Error("the code stands where anybody reads it")
		}
	}
	again := ask(known)
	same(t, "asked too often", again, ask(unknown), known, unknown)
	again.want(http.StatusTooManyRequests, "秒再获取")
	statuses := map[int]int{}
	for i := range 60 { // guesses
		got := c.post(residents+"/enter/code", fields("_key", fmt.Sprint(i), "phone", known, "code", fmt.Sprintf("%06d", (i*7+1)%1000000)))
		statuses[got.status]++
		if got.status == http.StatusSeeOther {
			t.Fatal("a guess was right: run it again with other guesses")
		}
	}
	if statuses[http.StatusTooManyRequests] == 0 || statuses[http.StatusUnprocessableEntity] == 0 {
		t.Errorf("sixty guesses: %v; want some refused as wrong and then all put off", statuses)
	}
	c.post(residents+"/enter/code", fields("_key", "right", "phone", known, "code", code)).want(http.StatusTooManyRequests)
	flood := map[int]int{}
	for i := range 80 { // telephones of others, one after the other, from one address
		flood[ask(fmt.Sprintf("137%08d", i)).status]++
	}
	if flood[http.StatusTooManyRequests] == 0 {
		t.Errorf("eighty codes from one address: %v; want some put off", flood)
	}
}

// Who opens too many pages is told to wait, in a page and with a line in the log.
func TestWhoWalksTheNumbersIsStopped(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{}, func(o *web.Options) { o.Rate.PublicPerMinute = 10 })
	c := k.anyone()
	var last answer
	for i := range 30 {
		last = c.get(fmt.Sprintf("%s/r/%024d", residents, i))
	}
	last.want(http.StatusTooManyRequests, "<h1", "12345")
	if last.header.Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
	if s := k.log.String(); !strings.Contains(s, "status=429") {
		t.Errorf("no line of the log says that somebody was stopped:\n%.2000s", s)
	}
}
