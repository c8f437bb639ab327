package register

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/territory"
)

// versionOf is the version of the territories that a request means: the one it names, else the one that begins on its
// day, else the one in force. A city's first version holds from the beginning unless a day is given.
func versionOf(versions []territory.Version, in Request, today civil.Date) (territory.Version, error) {
	code := in.Version
	for _, v := range versions {
		if code == "" && !in.From.IsZero() && v.From == in.From {
			code = v.Code
		}
	}
	if code == "" && !in.From.IsZero() {
		code = in.From.String()
	}
	if code == "" {
		if i := territory.InForce(versions, today); i >= 0 {
			return versions[i], nil
		}
		if len(versions) > 0 {
			return versions[0], nil
		}
		code = "1"
	}
	for _, v := range versions {
		if v.Code != code {
			continue
		}
		if !in.From.IsZero() && in.From != v.From {
			return v, fault.New(fault.Conflict, "territory.version_has_day", "version", code, "from", v.From)
		}
		if v.Source == "" {
			v.Source = in.Source
		}
		return v, nil
	}
	v := territory.Version{City: in.City, Code: code, From: in.From, Source: in.Source}
	if v.From.IsZero() && len(versions) > 0 {
		v.From = today
	}
	return v, nil
}

// before is the version that a version follows; false for the first.
func before(versions []territory.Version, v territory.Version) (territory.Version, bool) {
	var last territory.Version
	found := false
	for _, o := range versions {
		if o.Code != v.Code && (o.From.IsZero() || o.From.Before(v.From)) {
			last, found = o, true
		}
	}
	return last, found
}
