package platformfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"sort"
	"time"

	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
)

// ServeHTTP takes what the centre sends.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := notice.FromRequest(r)
	if err != nil || r.Method != http.MethodPost {
		problem(w, http.StatusBadRequest, "not a signed POST request", nil)
		return
	}
	p.mu.Lock()
	what := path.Base(r.URL.Path)
	way := p.fault(what)
	if way == WrongKey || p.signer.Verify(in) != nil || p.nonces[in.Nonce] {
		p.mu.Unlock()
		problem(w, http.StatusUnauthorized, "bad signature", nil)
		return
	}
	p.nonces[in.Nonce] = true
	status, answer := p.answer(way, what, in.Body)
	p.mu.Unlock()
	reply(w, way, status, answer)
}

// fault is the way in which a request fails: only messages fail.
func (p *Platform) fault(what string) Fault {
	if what != "messages" || len(p.faults) == 0 {
		return ""
	}
	f := p.faults[0]
	p.faults = p.faults[1:]
	return f
}

func (p *Platform) answer(way Fault, what string, body []byte) (int, any) {
	switch way {
	case Down:
		return http.StatusServiceUnavailable, "down"
	case Busy:
		return http.StatusTooManyRequests, "slow down"
	case Refuse:
		return http.StatusUnprocessableEntity, "this office does not take it so"
	case TakenThen5x, TakenGone, TakenHalf, TakenHTML, WrongKey, LostTicket, Forgetful, LowNext, Stuck, FileDown, FileHalf, FileOther, FileMore, FileGone, FileMoved:
	}
	switch what {
	case "messages":
		return p.messages(way, body)
	case "resend":
		var q exchange.Missing
		if json.Unmarshal(body, &q) != nil {
			return http.StatusBadRequest, "not JSON"
		}
		out := exchange.Messages{Messages: []exchange.Message{}}
		if t, ok := p.tickets[key(q.OpenedBy, q.Ticket)]; ok && q.From >= 1 && int(q.From) <= len(t.Said) {
			out.Messages = append(out.Messages, t.Said[q.From-1:]...)
			t.Sent = len(t.Said)
		}
		return http.StatusOK, out
	case "ledger":
		return p.list(body)
	case "files":
		return p.give(body)
	}
	return http.StatusNotFound, "no such address"
}

func (p *Platform) messages(way Fault, body []byte) (int, any) {
	var m exchange.Message
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return p.no(http.StatusBadRequest, err.Error())
	}
	if err := m.Check(p.now().Add(time.Minute)); err != nil {
		return p.no(http.StatusUnprocessableEntity, err.Error())
	}
	p.asked++
	if way == Stuck {
		return http.StatusOK, exchange.Receipt{Result: exchange.Waits, Ticket: m.Ticket, Status: exchange.Dispatched, Next: 1}
	}
	r, status, why := p.take(m)
	if why != "" {
		return p.no(status, why)
	}
	if way == LostTicket {
		delete(p.tickets, key(m.OpenedBy, m.Ticket))
	}
	if way == Forgetful && m.Seq > 1 {
		t := p.tickets[key(m.OpenedBy, m.Ticket)]
		t.Status = t.was[m.Seq-2]
		t.Taken, t.was = t.Taken[:m.Seq-2], t.was[:m.Seq-2]
		r.Result, r.Next = exchange.Waits, m.Seq-1
	}
	if way == LowNext {
		r.Next = 1
	}
	return http.StatusOK, r
}

// Asked is how many messages it was handed, those that it knew included.
func (p *Platform) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *Platform) no(status int, why string) (int, any) {
	p.wrong = append(p.wrong, why)
	return status, why
}

func (p *Platform) take(m exchange.Message) (exchange.Receipt, int, string) {
	t, ok := p.tickets[key(m.OpenedBy, m.Ticket)]
	if !ok {
		if m.OpenedBy != exchange.Ours {
			return exchange.Receipt{}, http.StatusNotFound, "no ticket " + m.Ticket
		}
		if m.Seq != 1 || m.Event != exchange.Dispatch {
			return exchange.Receipt{Result: exchange.Waits, Ticket: m.Ticket, Status: exchange.Dispatched, Next: 1}, 0, ""
		}
		p.n++
		t = p.add(&Ticket{No: m.Ticket, OpenedBy: exchange.Ours, PeerNo: fmt.Sprintf("%sX%06d", p.prefix, p.n), Status: exchange.Dispatched, Opened: p.now()})
	}
	r := exchange.Receipt{Result: exchange.Applied, Ticket: t.No, Status: t.Status, Next: int64(len(t.Taken) + 1)}
	if t.OpenedBy == exchange.Ours {
		r.PeerNo = t.PeerNo
	}
	switch {
	case m.Seq <= int64(len(t.Taken)):
		if was := t.Taken[m.Seq-1]; was.Seq > 0 && was.Hash() != m.Hash() {
			return r, http.StatusConflict, fmt.Sprintf("%s number %d said something else before", t.No, m.Seq)
		}
		r.Result = exchange.Known
		return r, 0, ""
	case m.Seq > int64(len(t.Taken)+1):
		r.Result = exchange.Waits
		return r, 0, ""
	}
	before := t.Status
	if s, err := exchange.Lifecycle.Next(t.Status, m.Event); err == nil {
		t.Status = s.To
	} else if m.Event != exchange.Dispatch && moves(m.Event) && !crossed(t) {
		return r, http.StatusUnprocessableEntity, fmt.Sprintf("%s is %s: no %s (%v)", t.No, t.Status, m.Event, fault.KindOf(err))
	}
	t.Taken, t.was = append(t.Taken, m), append(t.was, before)
	if t.OpenedBy == exchange.Theirs && m.PeerNo != "" {
		t.PeerNo = m.PeerNo
	}
	r.Status, r.Next = t.Status, int64(len(t.Taken)+1)
	return r, 0, ""
}

// crossed reports whether the platform has said something that the centre cannot have known: both spoke at once.
func crossed(t *Ticket) bool { return t.Sent < len(t.Said) }

func moves(e exchange.Event) bool {
	for _, s := range exchange.Lifecycle.Steps {
		if s.Event == e {
			return true
		}
	}
	return false
}

func (p *Platform) list(body []byte) (int, any) {
	var q exchange.DayAsked
	if json.Unmarshal(body, &q) != nil || q.Day.IsZero() {
		return http.StatusBadRequest, "no day"
	}
	out := exchange.DayList{Tickets: []exchange.Line{}}
	for _, t := range p.tickets {
		if t.Opened.Date() == q.Day {
			out.Tickets = append(out.Tickets, exchange.Line{
				Ticket: t.No, OpenedBy: t.OpenedBy, PeerNo: t.PeerNo, Status: t.Status, Said: int64(len(t.Said)), Taken: int64(len(t.Taken)),
			})
		}
	}
	sort.Slice(out.Tickets, func(i, j int) bool { return out.Tickets[i].Ticket < out.Tickets[j].Ticket })
	return http.StatusOK, out
}

// reply answers, or fails to.
func reply(w http.ResponseWriter, way Fault, status int, answer any) {
	switch way {
	case TakenThen5x:
		problem(w, http.StatusInternalServerError, "the answer was lost", nil)
		return
	case TakenGone:
		panic(http.ErrAbortHandler)
	case TakenHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Bad gateway?</html>") // whoever asked is gone
		return
	case TakenHalf:
		raw, _ := json.Marshal(answer) // plain values
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw[:len(raw)/2]) // whoever asked is gone
		return
	case Down, Refuse, Busy, WrongKey, LostTicket, Forgetful, LowNext, Stuck, FileDown, FileHalf, FileOther, FileMore, FileGone, FileMoved:
	}
	if raw, file := answer.([]byte); file {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(raw) // whoever asked is gone
		return
	}
	if why, bad := answer.(string); bad {
		problem(w, status, why, nil)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked is gone
}

func problem(w http.ResponseWriter, status int, detail string, fields []string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "detail": detail, "fields": fields}) // whoever asked is gone
}
