package webpush

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Gateway sends messages of the channel web push; their address is the id of the person.
func (s *Service) Gateway() notice.Gateway { return gateway{s} }

type gateway struct{ s *Service }

// target is a device in the clear.
type target struct {
	device   Device
	endpoint string
	keys     Keys
}

// Send hands a message to the push services of all devices of a person. One that takes it is enough. Where none does, it is
// tried once more, since a message with the same topic replaces itself; then it goes by text message.
func (g gateway) Send(ctx context.Context, out notice.Outgoing) (string, error) {
	s := g.s
	city, ok := cityOf(out.Key)
	if !ok {
		return "", fmt.Errorf("send by web push: the key %q names no city", out.Key)
	}
	targets, err := s.targets(ctx, city, out.To)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(s.payload(city, out))
	if err != nil {
		return "", fmt.Errorf("write a push message: %w", err)
	}
	if len(payload) > MostPlain {
		return "", noWay()
	}
	taken, busy := 0, error(nil)
	for _, t := range targets {
		switch answer, err := s.push(ctx, t, out, payload); answer {
		case accepted:
			taken++
		case gone:
			if err := s.forget(ctx, t.device); err != nil {
				return "", err
			}
		case refused:
			s.o.Log.WarnContext(ctx, "a push service refuses a message", "city", city, "device", t.device.ID, "error", err)
		case unsure:
			busy = err
		}
	}
	switch {
	case taken > 0:
		return "push-" + out.Key, s.await(ctx, city, out)
	case busy != nil && !out.Again:
		return "", fault.Wrap(busy, fault.Down, "webpush.down")
	}
	return "", noWay()
}

func noWay() error { return fault.New(fault.Invalid, "notice.reason.no_device") }

// targets opens the devices of a person that are still logged in.
func (s *Service) targets(ctx context.Context, city int, person string) ([]target, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]target, error) {
		all, err := s.living(ctx, tx, city, person)
		if err != nil || len(all) == 0 {
			return nil, err
		}
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
		if err != nil || p.Erased {
			return nil, err
		}
		out := make([]target, len(all))
		for i, d := range all {
			out[i].device = d
			if out[i].endpoint, err = p.Open("webpush.endpoint", d.Endpoint); err != nil {
				return nil, fmt.Errorf("open device %s: %w", d.ID, err)
			}
			keys, err := p.Open("webpush.keys", d.Keys)
			if err != nil {
				return nil, fmt.Errorf("open device %s: %w", d.ID, err)
			}
			if err := json.Unmarshal([]byte(keys), &out[i].keys); err != nil {
				return nil, fmt.Errorf("read device %s: %w", d.ID, err)
			}
		}
		return out, nil
	})
}

func (s *Service) payload(city int, out notice.Outgoing) Payload {
	title := s.o.Title
	if title == "" {
		title = text.T(out.Lang, "webpush.title")
	}
	return Payload{Title: title, Text: out.Text, Lang: out.Lang, Open: s.o.Home(city), Key: out.Key, Proof: s.proof(out.Key), Tell: s.o.Tell(city)}
}

// forget drops a device whose subscription the push service says is gone.
func (s *Service) forget(ctx context.Context, d Device) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if ok, err := drop(ctx, tx, d.City, d.Person, d.ID); err != nil || !ok {
			return err
		}
		return note(ctx, tx, machine, d, "webpush.gone")
	})
}

// silence is the job that looks whether a message was shown.
type silence struct {
	Key string `json:"key"`
}

func (silence) Kind() string { return "webpush.silence" }

// await has a look when the push service no longer keeps the message.
func (s *Service) await(ctx context.Context, city int, out notice.Outgoing) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return jobs.Add(ctx, tx, city, silence{out.Key}, jobs.When{At: tx.Now.Add(lifeOf(out) + grace)})
	})
}

// listen is that job: what no device said it showed did not arrive.
func (s *Service) listen(ctx context.Context, j jobs.Job, a silence) error {
	return s.o.Notices.Receive(ctx, j.City, notice.Receipt{Key: a.Key})
}
