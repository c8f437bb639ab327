package place

// Pattern is what the cold flats of a building have in common, which says where to look first.
type Pattern string

// The patterns; the name on the screen is "pattern.<name>".
const (
	PatternNone    Pattern = "none"
	PatternFlat    Pattern = "flat"    // one flat: its own valve, filter or radiator
	PatternRiser   Pattern = "riser"   // flats above one another: the riser, mostly air
	PatternTop     Pattern = "top"     // the top floors: pressure or air at the top
	PatternFloor   Pattern = "floor"   // one floor that is not the top: the branch, or chance
	PatternMany    Pattern = "many"    // many flats: station, yard pipes or the building's inlet
	PatternScatter Pattern = "scatter" // a few flats without anything in common
)

// manyFlats is from how many cold flats in a building its supply is looked at first, and manyShare from which part of the
// flats (one in so many).
const (
	manyFlats = 4
	manyShare = 5
	topFloors = 2
)

// Pattern tells what the flats with these accounts have in common.
func (s Section) Pattern(cold func(account string) bool) Pattern {
	var hit, all, top int
	risers, floors := map[[2]int]bool{}, map[int]bool{}
	for u, stair := range s.Units {
		for f, storey := range stair.Floors { // from the top down
			for c, flat := range storey.Flats {
				if flat == nil {
					continue
				}
				all++
				if !cold(flat.Account) {
					continue
				}
				hit++
				risers[[2]int{u, c}], floors[storey.Floor] = true, true
				if f < topFloors && len(stair.Floors) > 2*topFloors {
					top++
				}
			}
		}
	}
	switch {
	case hit == 0:
		return PatternNone
	case hit == 1:
		return PatternFlat
	case len(risers) == 1:
		return PatternRiser
	case top == hit:
		return PatternTop
	case len(floors) == 1:
		return PatternFloor
	case hit >= manyFlats && hit*manyShare >= all:
		return PatternMany
	}
	return PatternScatter
}
