package place

import (
	"strconv"
	"strings"
)

// BuildingNo is a building's number without what stands around it, so that 3号楼, ３栋 and 3 are one building.
func BuildingNo(s string) string {
	return trimmed(s, "号楼", "号栋", "号幢", "#楼", "栋", "幢", "座", "#", "号", "楼")
}

// UnitNo is a unit's number: 2单元 and 2 are one.
func UnitNo(s string) string { return trimmed(s, "单元", "门") }

// RoomNo is a room's number: 601室 and 601 are one.
func RoomNo(s string) string { return trimmed(s, "室", "号", "户") }

func trimmed(s string, ends ...string) string {
	s = narrow(s)
	for _, end := range ends {
		if cut, ok := strings.CutSuffix(s, end); ok && cut != "" {
			return cut
		}
	}
	return s
}

// narrow makes full-width letters and digits plain, drops spaces, and writes letters large.
func narrow(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == ' ' || r == '\u3000' || r == '\t' || r == '\u00a0':
			return -1
		}
		return r
	}, s))
}

// FloorOf reads the floor from a room number of three or four digits (601, 1203, B-1203); nil where it does not say.
// Numbers like 0601 name the sixth floor.
func FloorOf(room string) *int {
	room = RoomNo(room)
	if i := strings.LastIndexAny(room, "-－—/"); i >= 0 {
		room = strings.TrimLeft(room[i:], "-－—/")
	}
	if len(room) < 3 || len(room) > 4 {
		return nil
	}
	n, err := strconv.Atoi(room)
	if err != nil || n < 100 {
		return nil
	}
	floor := n / 100
	return &floor
}
