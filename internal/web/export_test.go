package web

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
)

// LiveKey lets a test see which readers share an answer.
func LiveKey(who actor.Actor, city int, f cases.Filter) string { return liveKey("test", who, city, f) }
