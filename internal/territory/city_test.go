package territory_test

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/territory"
)

// A small city: four square areas of about two kilometres, side by side, and one area by list.
//
//	N1 (C1) | N2 (C2)
//	S1 (C3) | S2 (C4)
var middle = geo.Point{Lng: 117.0, Lat: 36.0}

func square(west, south, east, north float64) *geo.MultiPolygon {
	return &geo.MultiPolygon{{{middle.Move(west, south), middle.Move(east, south), middle.Move(east, north), middle.Move(west, north)}}}
}

func city() territory.Snapshot {
	s := territory.Snapshot{
		City: 990100, CityName: "暖城",
		Districts: []territory.District{{"990102", "南湖区"}, {"990103", "北山区"}, {"990104", "河东区"}, {"990105", "新华区"}},
		Streets: []territory.Street{
			{"990102001", "建国街道", "990102"}, {"990102002", "湖滨街道", "990102"}, {"990103001", "景山街道", "990103"}, {"990104001", "东高村镇", "990104"},
		},
		Companies: []territory.Company{{"C1", "暖城热力"}, {"C2", "南湖热电"}, {"C3", "城东供热"}, {"C4", "华阳热力"}, {"C5", "铁路房管"}},
		Areas: []territory.Area{
			{Code: "N1", Company: "C1", Station: "S1", Geometry: square(-2000, 0, 0, 2000)},
			{Code: "N2", Company: "C2", Geometry: square(0, 0, 2000, 2000)},
			{Code: "S1", Company: "C3", Geometry: square(-2000, -2000, 0, 0)},
			{Code: "S2", Company: "C4", Geometry: square(0, -2000, 2000, 0), Source: "华阳电厂"},
			{Code: "L1", Company: "C5"},
		},
		Household: func(account string) (territory.Household, bool) {
			h, ok := map[string]territory.Household{
				"10086001": {Account: "10086001", Community: "sun", Building: "3号楼", Unit: "2", Room: "601", Zone: "low", HeatStatus: territory.HeatWaitingValve},
			}[account]
			return h, ok
		},
	}
	add := func(c territory.Community, east, north float64) {
		c.Point, c.Connected = middle.Move(east, north), c.NotServed == ""
		s.Communities = append(s.Communities, c)
	}
	list := func(id, name, district, address string, aliases ...string) territory.Community {
		return territory.Community{ID: id, Name: name, District: district, Address: address, Aliases: aliases}
	}
	add(list("sun", "阳光花园", "南湖区", "建设路12号", "阳光小区"), -1000, 1000)   // C1
	add(list("sun2", "阳光花园二期", "南湖区", "建设路14号"), 1000, 1200)         // C2
	add(list("happyS", "幸福里", "南湖区", "湖滨路8号"), -500, 500)            // C1
	add(list("happyN", "幸福里", "北山区", "景山大街20号"), 800, -900)          // C4
	add(list("intl", "国际广场", "河东区", "人民路1号"), -900, -900)            // C3
	add(list("wanda", "万达国际广场", "北山区", "北山路6号"), 900, 900)           // C2
	add(list("new", "新村", "新华区", "新华路3号"), -1200, -700)              // C3
	add(list("rail", "铁路二十四中宿舍", "新华区", "站前街5号", "24中宿舍"), 300, 300) // by list, C5
	add(list("edge", "界河嘉园", "南湖区", "界河路2号"), -20, 700)              // C1, 20 m from C2
	add(list("peace", "和平小区", "河东区", "和平路88号", "和平"), -1500, -1500)  // C3
	add(list("jade", "翡翠名邸", "北山区", "北山路66号", "翡翠"), 1500, 1500)     // C2
	add(list("army", "建设路3号院", "南湖区", "建设路3号"), -1500, 1500)         // C1
	add(list("split", "锦绣新城", "新华区", "锦绣路9号"), -1000, -300)          // shared by C3 and C4
	add(list("heat", "自暖花苑", "河东区", "河东路7号"), -700, -1700)           // own heating
	add(list("gardenE", "东湖花园", "河东区", "河东路17号"), -300, -1300)       // C3
	add(list("moved", "枫林绿洲", "北山区", "枫林路10号"), 600, -600)           // C4, before C2
	add(list("moved2", "梧桐苑", "北山区", "枫林路30号"), 700, -1500)          // C4, confirmed
	add(list("twinA", "书香门第", "南湖区", "学府路1号"), -800, 300)            // C1, confusable
	add(list("twinB", "书香名第", "北山区", "学府路2号"), 300, -300)            // C4
	add(list("gold", "金色家园", "北山区", "金山路5号"), 1200, -1200)           // C4
	add(list("towns", "东高村社区", "河东区", "村前街1号"), -1800, -1800)        // C3
	add(list("lake", "南湖", "南湖区", "湖滨路1号"), -600, 600)               // C1, named like the district
	add(list("void", "孤山别院", "河东区", "孤山路1号"), 9000, 9000)            // nobody
	details(&s)
	return s
}

// details adds what only some communities have.
func details(s *territory.Snapshot) {
	for i := range s.Communities {
		switch c := &s.Communities[i]; c.ID {
		case "sun":
			c.Management, c.Developer, c.WarrantyUntil = territory.Direct, "阳光置业", civil.NewDate(2026, 3, 15)
			c.Street = "建国街道"
		case "rail":
			c.Area = "L1"
		case "heat":
			c.NotServed, c.Connected = territory.OwnHeating, false
		case "moved":
			c.Previous = &territory.Change{From: "C2", Since: civil.NewDate(2025, 11, 1)}
		case "moved2":
			c.Previous = &territory.Change{From: "C2", Since: civil.NewDate(2025, 11, 1), Confirmed: true}
			c.Management, c.Property = territory.Resold, "梧桐物业"
		}
	}
	for no := 1; no <= 10; no++ {
		n := civilNo(no)
		s.Buildings = append(s.Buildings,
			territory.Building{Community: "split", No: n + "号楼", Company: "C3", Area: "S1"},
			territory.Building{Community: "split", No: civilNo(no + 10), Company: "C4", Area: "S2"},
			territory.Building{Community: "sun", No: n, Zone: "low"})
	}
	s.Buildings = append(s.Buildings, territory.Building{Community: "jade", No: "A座"}, territory.Building{Community: "jade", No: "B3号楼"})
	s.Confusable = []territory.Pair{{A: "twinA", B: "twinB"}}
	s.Rules = []territory.Rule{
		{Text: "老火车站北楼", Company: "C5", Area: "L1", Author: "王科长", At: civil.On(civil.NewDate(2025, 12, 1), 9, 0)},
	}
}

func civilNo(n int) string {
	if n >= 10 {
		return string(rune('0'+n/10)) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

var winter = civil.On(civil.NewDate(2026, 1, 15), 8, 0)
