package territory

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/rehu-heat/rehu/internal/geo"
)

// Parts of invented names.
var (
	benchFirst  = []rune("阳光锦绣翡翠金色紫云东湖南苑北辰西城枫林梧桐书香龙凤和平幸福盛世华庭御景观澜听雨望山临水春江秋月银杏海棠丁香桂花玉兰")
	benchSecond = []rune("福禄寿喜康泰安宁祥瑞丰裕昌盛荣华富贵清雅文德仁义礼智信诚明远达通顺利和美")
	benchLast   = []string{"花园", "家园", "小区", "嘉园", "名邸", "新城", "苑", "里", "公馆", "华府", "新村", "佳苑"}
	benchRoads  = []string{"建设", "人民", "和平", "解放", "中山", "新华", "文化", "工业", "青年", "光明", "胜利", "民主", "站前", "滨河", "学府", "科技", "团结", "友谊", "红旗", "迎宾"}
)

const benchSide = 40000.0 // metres: the side of the invented city

// BenchSnapshot invents a city to measure with: areas of 200 corners side by side, communities with ten buildings each.
// The same seed gives the same city.
func BenchSnapshot(communities, areas int, seed uint64) Snapshot {
	rng := rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) //nolint:gosec // an invented city needs no secrecy
	s := Snapshot{City: 990199, CityName: "测城", Communities: make([]Community, 0, communities), Areas: make([]Area, 0, areas)}
	for i := range 12 {
		s.Districts = append(s.Districts, District{fmt.Sprintf("9901%02d", i+2), string(benchFirst[2*i:2*i+2]) + "区"})
	}
	for i := range 40 {
		s.Companies = append(s.Companies, Company{fmt.Sprintf("C%d", i+1), fmt.Sprintf("第%d热力公司", i+1)})
	}
	benchAreas(&s, areas)
	south := geo.Point{Lng: 116.8, Lat: 35.8}
	for i := range communities {
		first := rng.IntN(len(benchFirst)/2) * 2
		name := string(benchFirst[first:first+2]) + string(benchSecond[rng.IntN(len(benchSecond))]) + string(benchSecond[rng.IntN(len(benchSecond))]) + benchLast[rng.IntN(len(benchLast))]
		c := Community{
			ID: fmt.Sprintf("m%06d", i), Name: name, District: s.Districts[rng.IntN(len(s.Districts))].Code, Connected: true, Management: Direct,
			Address: fmt.Sprintf("%s路%d号", benchRoads[rng.IntN(len(benchRoads))], 1+rng.IntN(999)),
			Point:   south.Move(rng.Float64()*benchSide, rng.Float64()*benchSide),
			Area:    s.Areas[rng.IntN(len(s.Areas))].Code,
		}
		if rng.IntN(3) == 0 {
			c.Aliases = []string{name + "北院"}
		}
		s.Communities = append(s.Communities, c)
		for no := range 10 {
			s.Buildings = append(s.Buildings, Building{Community: c.ID, No: fmt.Sprint(no + 1)})
		}
	}
	return s
}

// benchAreas lays a grid of cells whose borders swing, 50 corners a side.
func benchAreas(s *Snapshot, areas int) {
	side := int(math.Ceil(math.Sqrt(float64(max(areas, 1)))))
	cell := benchSide / float64(side)
	south := geo.Point{Lng: 116.8, Lat: 35.8}
	const corners = 50
	corner := func(x, y float64) geo.Point { // neighbours share the swinging line
		return south.Move(x+0.1*cell*math.Sin(y/cell*6), y+0.1*cell*math.Sin(x/cell*6))
	}
	for i := range areas {
		x, y := float64(i%side)*cell, float64(i/side)*cell
		ring := make(geo.Ring, 0, 4*corners)
		for k := range corners {
			ring = append(ring, corner(x+cell*float64(k)/corners, y))
		}
		for k := range corners {
			ring = append(ring, corner(x+cell, y+cell*float64(k)/corners))
		}
		for k := range corners {
			ring = append(ring, corner(x+cell-cell*float64(k)/corners, y+cell))
		}
		for k := range corners {
			ring = append(ring, corner(x, y+cell-cell*float64(k)/corners))
		}
		s.Areas = append(s.Areas, Area{Code: fmt.Sprintf("A%d", i+1), Company: s.Companies[i%len(s.Companies)].Code, Station: fmt.Sprintf("S%d", i+1), Geometry: &geo.MultiPolygon{{ring}}})
	}
}

// BenchComplaint is a complaint of about 130 characters about a community, as residents write them.
func BenchComplaint(c Community) string {
	return "你好，我家住在" + c.Name + "三号楼2单元601，从上周五晚上开始暖气就一直不热，室温只有15度，家里有八十岁的老人和三岁的孩子，" +
		"打了好几次供热公司的电话都说马上来人，到现在已经三天了也没有人上门，去年冬天也是这样，一个采暖季交了两千多块钱，请你们尽快派人来处理，我的电话是13812345678，谢谢。"
}
