package platformfake

import "github.com/rehu-heat/rehu/internal/exchange"

// Work does what the platform's people do meanwhile: they call back and close what was answered, have every third done
// again once, and see to what the centre passed on to them, one step at a time.
func (p *Platform) Work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.order {
		t, ok := p.tickets[k]
		if !ok || t.Sent < len(t.Said) {
			continue
		}
		if t.OpenedBy == exchange.Theirs {
			p.asks(t, i)
		} else {
			p.do(t)
		}
	}
}

// asks is what the asker does next with a ticket.
func (p *Platform) asks(t *Ticket, i int) {
	switch t.Status {
	case exchange.Replied:
		if i%3 == 2 && t.Redone == 0 {
			t.Redone++
			p.say(t, exchange.Message{Event: exchange.Redo, Text: "市民回访不满意，家中仍不热，请二次办理。"})
			return
		}
		p.say(t, exchange.Message{Event: exchange.CallBack, Reached: "yes", Solved: "yes", Satisfied: "yes", Text: "市民表示满意。"})
	case exchange.CalledBack:
		p.say(t, exchange.Message{Event: exchange.Close})
	case exchange.Returning:
		p.say(t, exchange.Message{Event: exchange.GrantReturn})
	case exchange.Dispatched, exchange.Accepted, exchange.Handling, exchange.Closed, exchange.Returned, exchange.Cancelled:
	}
}

// do is what the doer does next with a ticket of the centre.
func (p *Platform) do(t *Ticket) {
	switch t.Status {
	case exchange.Dispatched:
		p.say(t, exchange.Message{Event: exchange.Accept})
	case exchange.Accepted:
		p.say(t, exchange.Message{Event: exchange.Review})
	case exchange.Handling:
		p.say(t, exchange.Message{Event: exchange.Reply, Text: "已转市水务部门现场处置，漏点已修复。", Solved: "yes"})
	case exchange.Returning, exchange.Replied, exchange.CalledBack, exchange.Closed, exchange.Returned, exchange.Cancelled:
	}
}
