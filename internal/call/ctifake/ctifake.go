// Package ctifake is a telephone switch without telephones. It checks everything that it is sent: signature, time, nonce,
// that one key always carries one command, that the call is in a state in which it can be obeyed; and it reports what
// happens back, signed, if wanted twice or in the wrong order. Tests and the demonstration city talk to it as to a real one.
package ctifake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/notice"
)

// Options set up a Switch.
type Options struct {
	Signer  notice.Signer
	Reports string               // address that takes reports; may be set later
	Menu    string               // address that the voice menu asks
	Now     func() civil.Instant // the city's clock
	Client  *http.Client         // nil: one with a timeout
}

// Line is a call as the switch sees it.
type Line struct {
	Ref, Caller, Seat string
	State             call.State
	Out               bool
	seq               int64
}

// Switch is the fake; serve it over HTTP.
type Switch struct {
	o Options

	mu     sync.Mutex
	nonces map[string]bool
	byKey  map[string]string // key → body
	obeyed []call.Command
	lines  map[string]*Line
	seats  map[string]call.SeatState
	last   int
	faults Faults
	held   []call.Report // kept back, to come in the wrong order
}

// Faults are what goes wrong on purpose.
type Faults struct {
	Down    bool // answers 503 and does nothing
	Mute    int  // so many commands are obeyed and answered with 504, as if the answer were lost
	Twice   bool // every report is sent twice
	Shuffle bool // reports of a call come in the wrong order, until Flush
}

// New makes a switch.
func New(o Options) *Switch {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	return &Switch{o: o, nonces: map[string]bool{}, byKey: map[string]string{}, lines: map[string]*Line{}, seats: map[string]call.SeatState{}}
}

// Aim says where reports go and whom the voice menu asks.
func (s *Switch) Aim(reports, menu string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Reports, s.o.Menu = reports, menu
}

// Break lets things go wrong.
func (s *Switch) Break(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Obeyed lists the commands that were obeyed, each key once, in order.
func (s *Switch) Obeyed() []call.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call.Command(nil), s.obeyed...)
}

// Line is a call by its name; nil when there is none.
func (s *Switch) Line(ref string) *Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.lines[ref]
	if !ok {
		return nil
	}
	out := *l
	return &out
}

// SeatState is what the switch believes of an extension.
func (s *Switch) SeatState(extension string) call.SeatState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats[extension]
}

// ReadySeats lists the extensions that calls may ring at.
func (s *Switch) ReadySeats() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for ext, st := range s.seats {
		if st == call.Ready && !s.engaged(ext) {
			out = append(out, ext)
		}
	}
	return out
}

func (s *Switch) engaged(extension string) bool {
	for _, l := range s.lines {
		if l.Seat == extension && (l.State == call.Rings || l.State == call.Talking || l.State == call.OnHold) {
			return true
		}
	}
	return false
}

// ServeHTTP takes a command.
func (s *Switch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := notice.FromRequest(r)
	if err != nil || r.Method != http.MethodPost {
		answer(w, http.StatusBadRequest, "not a signed POST request")
		return
	}
	if err := s.o.Signer.Verify(in); err != nil {
		answer(w, http.StatusUnauthorized, "bad signature")
		return
	}
	var c call.Command
	d := json.NewDecoder(bytes.NewReader(in.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	status, why, reports := s.obey(in, c)
	for _, rep := range reports {
		if err := s.Send(r.Context(), rep); err != nil {
			answer(w, http.StatusBadGateway, err.Error())
			return
		}
	}
	answer(w, status, why)
}

func answer(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why}) // the client is gone: nobody to tell
}

// obey does what a command says, once for each key.
func (s *Switch) obey(in notice.Signed, c call.Command) (int, string, []call.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.faults.Down:
		return http.StatusServiceUnavailable, "down", nil
	case s.nonces[in.Nonce]:
		return http.StatusUnauthorized, "nonce used before", nil
	case c.Key == "" || c.Seat == "":
		return http.StatusUnprocessableEntity, "key and seat are needed", nil
	}
	s.nonces[in.Nonce] = true
	if body, ok := s.byKey[c.Key]; ok {
		if body != string(in.Body) {
			return http.StatusConflict, "key used for another command", nil
		}
		return http.StatusOK, "", nil
	}
	reports, why := s.act(c)
	if why != "" {
		return http.StatusConflict, why, nil
	}
	s.byKey[c.Key] = string(in.Body)
	s.obeyed = append(s.obeyed, c)
	if s.faults.Mute > 0 {
		s.faults.Mute--
		return http.StatusGatewayTimeout, "answer lost", reports
	}
	return http.StatusOK, "", reports
}

// act moves a line or a seat and gives the reports that follow.
func (s *Switch) act(c call.Command) (reports []call.Report, why string) {
	if c.Do == call.DoState {
		s.seats[c.Seat] = c.State
		return nil, ""
	}
	if c.Do == call.DoDial {
		if c.To == "" {
			return nil, "no number"
		}
		l := s.line(c.To)
		l.Out, l.Seat, l.State = true, c.Seat, call.Rings
		r := s.report(l, call.Ringing)
		r.Command = c.Key
		return []call.Report{r}, ""
	}
	l, ok := s.lines[c.Call]
	kind, known := kinds[c.Do]
	if !ok || !known || l.Seat != c.Seat {
		return nil, "no such call at this seat"
	}
	step, err := call.Lifecycle.Next(l.State, kind)
	if err != nil || (c.Do == call.DoTransfer || c.Do == call.DoConference) && c.To == "" {
		return nil, "not now"
	}
	l.State = step.To
	r := s.report(l, kind)
	r.Command = c.Key
	return []call.Report{r}, ""
}

var kinds = map[call.Verb]call.Kind{
	call.DoAnswer: call.Answered, call.DoHold: call.Held, call.DoResume: call.Resumed, call.DoTransfer: call.Transferred,
	call.DoConference: call.Joined, call.DoHangUp: call.Ended,
}

func (s *Switch) line(number string) *Line {
	s.last++
	l := &Line{Ref: "sw-" + strconv.FormatInt(int64(s.o.Now()), 36) + "-" + strconv.Itoa(s.last), Caller: number, State: call.Arrived}
	s.lines[l.Ref] = l
	return l
}

func (s *Switch) report(l *Line, kind call.Kind) call.Report {
	l.seq++
	r := call.Report{ID: l.Ref + "/" + strconv.FormatInt(l.seq, 10), Call: l.Ref, Seq: l.seq, At: s.o.Now(), Kind: kind, Direction: call.In, Caller: l.Caller, Line: "12319", Seat: l.Seat}
	if l.Out {
		r.Direction = call.Out
	}
	return r
}

// Dial lets somebody ring the centre and gives the call's name. Without a seat they wait in the queue; with one it rings
// there.
func (s *Switch) Dial(ctx context.Context, number, seat string) (string, error) {
	s.mu.Lock()
	l := s.line(number)
	l.State = call.InQueue
	reports := []call.Report{s.report(l, call.Queued)}
	if seat != "" {
		l.Seat, l.State = seat, call.Rings
		reports = append(reports, s.report(l, call.Ringing))
	}
	s.mu.Unlock()
	return l.Ref, s.sendAll(ctx, reports)
}

// Enter lets somebody ring the voice menu and gives the call's name and what they hear. Whoever is content hangs up.
func (s *Switch) Enter(ctx context.Context, q call.Inquiry, content bool) (string, call.Reply, error) {
	s.mu.Lock()
	l := s.line(q.Caller)
	menu := s.o.Menu
	s.mu.Unlock()
	q.Call = l.Ref
	var reply call.Reply
	body, err := s.post(ctx, menu, q)
	if err != nil {
		return l.Ref, reply, err
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return l.Ref, reply, fmt.Errorf("the menu's answer: %w", err)
	}
	if content && reply.Then == "offer" {
		return l.Ref, reply, s.Happen(ctx, l.Ref, call.Ended, "")
	}
	return l.Ref, reply, s.Happen(ctx, l.Ref, call.Queued, "")
}

// Happen lets something happen to a call that no command asked for: it rings, the caller hangs up, the recording is ready.
// With is the extension, or the address of the recording.
func (s *Switch) Happen(ctx context.Context, ref string, kind call.Kind, with string) error {
	s.mu.Lock()
	l, ok := s.lines[ref]
	if !ok {
		s.mu.Unlock()
		return fmt.Errorf("no call %s", ref)
	}
	if kind == call.Ringing || kind == call.Answered && with != "" {
		l.Seat = with
	}
	if kind != call.Recorded {
		step, err := call.Lifecycle.Next(l.State, kind)
		if err != nil {
			s.mu.Unlock()
			return err
		}
		l.State = step.To
	}
	r := s.report(l, kind)
	if kind == call.Recorded {
		r.Recording = with
	}
	s.mu.Unlock()
	return s.Send(ctx, r)
}

func (s *Switch) sendAll(ctx context.Context, all []call.Report) error {
	for _, r := range all {
		if err := s.Send(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Send reports something, as the faults say.
func (s *Switch) Send(ctx context.Context, r call.Report) error {
	s.mu.Lock()
	f, to := s.faults, s.o.Reports
	if f.Shuffle {
		s.held = append(s.held, r)
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	if _, err := s.post(ctx, to, r); err != nil {
		return err
	}
	if f.Twice {
		_, err := s.post(ctx, to, r)
		return err
	}
	return nil
}

// Flush sends what was kept back, the last first.
func (s *Switch) Flush(ctx context.Context) error {
	s.mu.Lock()
	all, to := s.held, s.o.Reports
	s.held, s.faults.Shuffle = nil, false
	s.mu.Unlock()
	for _, one := range slices.Backward(all) {
		if _, err := s.post(ctx, to, one); err != nil {
			return err
		}
	}
	return nil
}

func (s *Switch) post(ctx context.Context, address string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	notice.SetHeaders(req.Header, s.o.Signer.Sign(u.Path, body))
	res, err := s.o.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("report to %s: %w", u.Host, err)
	}
	defer res.Body.Close()
	const most = 64 << 10
	said, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err == nil && res.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("report to %s: status %d: %s", u.Host, res.StatusCode, said)
	}
	return said, err
}
