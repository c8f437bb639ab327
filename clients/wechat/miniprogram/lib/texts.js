// Every text of the mini program, in Chinese and English.

const TEXTS = {
  'app.name': ['供热服务', 'Heating service'],
  'app.larger': ['大字', 'Larger type'],
  'app.smaller': ['标准字', 'Normal type'],
  'app.other_language': ['English', '中文'],
  'app.call': ['打服务热线', 'Call the service line'],
  'app.wait': ['请稍候…', 'One moment…'],
  'app.offline': ['网络不通，请稍后再试。', 'No connection. Please try again.'],
  'app.failed': ['没有成功，请稍后再试，或打服务热线。', 'That did not work. Please try again or call.'],
  'home.hello': ['家里不热，请告诉我们', 'Is your home cold? Tell us.'],
  'home.report': ['我要报修', 'Report a problem'],
  'home.follow': ['我的诉求', 'My cases'],
  'home.open': ['{n} 件正在办', '{n} open'],
  'home.bind': ['绑定手机号', 'Link your telephone'],
  'home.bound': ['手机号 {phone}', 'Telephone {phone}'],
  'login.why': ['验证手机号，才能看到您报过的诉求。只用一次。', 'Prove your telephone once to see what you reported.'],
  'login.go': ['用手机号登录', 'Log in with your telephone'],
  'login.without': ['着急可以直接打电话', 'Call if it is urgent'],
  'bind.phone': ['手机号（必填）', 'Mobile number (required)'],
  'bind.code': ['短信验证码，6位（必填）', 'Code from the text message, 6 digits (required)'],
  'bind.send': ['发验证码', 'Send a code'],
  'bind.sent': ['已发送，{n} 分钟内有效', 'Sent; good for {n} minutes'],
  'bind.go': ['完成绑定', 'Link'],
  'bind.need_phone': ['请写11位手机号。', 'Write a mobile number of 11 digits.'],
  'bind.need_code': ['请写6位验证码。', 'Write the six digits of the code.'],
  'report.title': ['我要报修', 'Report a problem'],
  'report.matter': ['1 什么问题？（必填）', '1 What is wrong? (required)'],
  'report.matter.cold': ['家里不热', 'Not warm at all'],
  'report.matter.cool': ['室温偏低', 'Not warm enough'],
  'report.matter.leak': ['漏水', 'A leak'],
  'report.matter.other': ['其他', 'Something else'],
  'report.address': ['2 住址：小区、楼、单元、房号（必填）', '2 Estate, building, unit, room (required)'],
  'report.address_example': ['例如 锦绣苑3号楼2单元601', 'such as 锦绣苑3号楼2单元601'],
  'report.since': ['3 从什么时候开始？（必填）', '3 Since when? (required)'],
  'report.since.today': ['今天', 'Today'],
  'report.since.yesterday': ['昨天', 'Yesterday'],
  'report.since.days': ['几天了', 'For some days'],
  'report.since.long': ['更久', 'Longer'],
  'report.test': ['4 要上门测温吗？退费从申请这一刻算起。（必填）', '4 Shall somebody measure? A refund counts from this request. (required)'],
  'report.test.yes': ['要测', 'Yes'],
  'report.test.no': ['不测', 'No'],
  'report.text': ['5 还想说什么（可不填）', '5 Anything else (optional)'],
  'report.photo': ['加照片（可不填，最多5张）', 'Add pictures (optional, at most 5)'],
  'report.photos': ['已选 {n} 张', '{n} chosen'],
  'report.send': ['提交', 'Send'],
  'report.sent': ['已受理，编号 {no}', 'Received. Your number is {no}'],
  'report.follow': ['看办到哪一步', 'See how far it is'],
  'report.reminded': ['您家的诉求 {no} 还在办，已为您催办。', 'Your case {no} is still open; the company was reminded.'],
  'report.need_matter': ['请选是什么问题。', 'Choose what is wrong.'],
  'report.need_address': ['请写住址。', 'Write where it is.'],
  'report.need_since': ['请选从什么时候开始。', 'Choose since when.'],
  'report.need_test': ['请选要不要测温。', 'Choose whether to measure.'],
  'report.need_text': ['请写明情况。', 'Write what happened.'],
  'report.photo_failed': ['有照片没有传上去，可在诉求里再加。', 'A picture was not sent; add it to the case again.'],
  'follow.title': ['我的诉求', 'My cases'],
  'follow.none': ['没有诉求。家里不热，请点“我要报修”。', 'No cases. Report a problem if your home is cold.'],
  'follow.received': ['{at} 受理', 'received {at}'],
  'case.with': ['办理单位', 'With'],
  'case.status': ['现在', 'Now'],
  'case.steps': ['经过', 'What happened'],
  'case.answer': ['答复', 'Answer'],
  'case.add': ['加一句话', 'Add a word'],
  'case.remind': ['催一催', 'Remind them'],
  'case.reminded': ['已催办', 'Reminded'],
  'case.photo': ['加照片', 'Add a picture'],
  'case.photo_sent': ['照片已加上', 'The picture was added'],
  'case.reopen': ['还是不热', 'Still cold'],
  'case.reopened': ['已重新办理', 'Taken up again'],
  'case.rate': ['评价', 'Rate'],
  'case.told': ['有进展时，用微信通知我', 'Tell me in WeChat when something happens'],
  'case.told_yes': ['好，下次有进展会通知您', 'You will be told next time'],
  'rate.title': ['评价', 'Rate'],
  'rate.solved': ['问题解决了吗？（必填）', 'Is it solved? (required)'],
  'rate.solved.yes': ['解决了', 'Solved'],
  'rate.solved.no': ['没解决', 'Not solved'],
  'rate.satisfied': ['服务满意吗？（可不填）', 'Are you satisfied? (optional)'],
  'rate.satisfied.yes': ['满意', 'Satisfied'],
  'rate.satisfied.no': ['不满意', 'Not satisfied'],
  'rate.send': ['提交评价', 'Send'],
  'rate.need_solved': ['请选解决了没有。', 'Choose whether it is solved.'],
  'rate.thanks': ['谢谢您的评价', 'Thank you'],
  'time.days': ['{n}天', '{n} d'],
  'time.hours': ['{n}小时', '{n} h'],
  'time.minutes': ['{n}分钟', '{n} min'],
  'time.joint': ['', ' '],
  'time.left': ['还有{time}', '{time} left'],
  'time.late': ['已超时{time}', '{time} late'],
};

function t(lang, key, params) {
  const pair = TEXTS[key];
  if (!pair) return key;
  const p = params || {};
  return pair[lang === 'en' ? 1 : 0].replace(/\{(\w+)\}/g, function (all, name) { return p[name] === undefined ? all : p[name]; });
}

// of gives the texts of a page for its template: "report.matter.cold" is t.matter_cold there.
function of(lang, prefixes) {
  const out = {};
  Object.keys(TEXTS).forEach(function (k) {
    const i = k.indexOf('.');
    if (prefixes.indexOf(k.slice(0, i)) >= 0) out[k.slice(0, i) + '_' + k.slice(i + 1).replace(/\./g, '_')] = t(lang, k);
  });
  return out;
}

module.exports = { t: t, of: of, keys: function () { return Object.keys(TEXTS); }, pairs: function (k) { return TEXTS[k]; } };
