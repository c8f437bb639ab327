package register

import "github.com/rehu-heat/rehu/internal/sheet"

func must(name string, aliases ...string) sheet.Column {
	return sheet.Column{Name: name, Aliases: aliases, Required: true}
}

func may(name string, aliases ...string) sheet.Column {
	return sheet.Column{Name: name, Aliases: aliases}
}

// What offices call the columns.
var (
	colCompany  = []string{"企业代码", "供热企业", "供热企业代码", "企业", "供热单位"}
	colDistrict = []string{"区", "区县", "行政区", "所属区"}
	colArea     = []string{"供热辖区", "辖区", "片区", "供热片区", "供热区域", "供热范围"}
	colStation  = []string{"热力站", "换热站", "热力站编号", "换热站编号"}
	colLng      = []string{"经度"}
	colLat      = []string{"纬度"}
	colPlace    = []string{"小区", "小区名称", "住宅小区"}
	colBuilding = []string{"楼号", "楼栋", "楼栋号", "楼"}
	colZone     = []string{"分区", "高低区", "压力分区"}
	colPhone    = []string{"电话", "联系电话", "手机", "手机号", "值班电话"}
)

var companyColumns = []sheet.Column{
	must("code", "企业代码", "代码", "编号"), may("name", "企业名称", "名称", "单位名称"), may("phone", append([]string{"客服电话"}, colPhone...)...),
	may("licence", "许可证", "许可证号", "供热许可证", "经营许可证"), may("licence_until", "许可证有效期", "许可证有效期至", "有效期至"), may("kind", "类型", "企业类型", "单位类型"),
}

var communityColumns = []sheet.Column{
	must("name", append([]string{"名称"}, colPlace...)...), may("aliases", "别名", "曾用名", "俗称"), must("district", colDistrict...),
	may("street", "街道", "街道办", "镇街", "街道（镇）"), may("address", "地址", "门牌", "详细地址"), may("lng", colLng...), may("lat", colLat...),
	may("company", colCompany...), may("area", colArea...), may("management", "管理方式"), may("property", "物业", "物业公司", "产权单位"),
	may("developer", "开发商", "开发企业", "建设单位"), may("warranty_until", "保修期至", "质保期至", "保修到期"), may("station", colStation...),
	may("zones", colZone...), may("connected", "接入状态", "是否接入", "已接入"),
}

var buildingColumns = []sheet.Column{
	must("community", colPlace...), may("district", colDistrict...), must("building", colBuilding...), may("lng", colLng...), may("lat", colLat...),
	may("company", colCompany...), may("area", colArea...), may("station", colStation...), may("zone", colZone...),
}

var householdColumns = []sheet.Column{
	must("account", "户号", "用热户号", "用户编号", "用户号", "卡号"), may("community", colPlace...), may("district", colDistrict...),
	may("building", colBuilding...), may("unit", "单元", "单元号"), may("room", "房号", "房间号", "室", "门牌号"), may("holder", "户主", "姓名", "用户姓名", "户名"),
	may("phone", colPhone...), may("area_m2", "面积", "供热面积", "建筑面积", "收费面积"), may("use_type", "用热性质", "用途", "用热类型"),
	may("price_class", "价格类别", "价类", "收费类别"), may("heat_status", "用热状态", "供热状态"), may("paid", "缴费", "是否缴费", "缴费状态"),
	may("station", colStation...), may("zone", colZone...), may("riser", "立管", "立管号"),
}

var dutyColumns = []sheet.Column{
	must("company", colCompany...), must("station", colStation...), must("from", "开始", "开始时间", "上班时间", "起"), may("to", "结束", "结束时间", "下班时间", "止"),
	may("name", "值班人", "值班人员", "姓名"), may("phone", colPhone...), may("backup", "备用电话", "备班", "备班电话"), may("leader", "值班领导", "带班领导"),
}
