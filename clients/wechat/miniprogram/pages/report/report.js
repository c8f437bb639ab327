const { base, failed } = require('../../lib/page');
const report = require('../../lib/report');
const rehu = getApp().rehu;

function options(names, prefix) { return names.map(function (n) { return { value: n, words: rehu.t(prefix + n) }; }); }

Page({
  data: {},
  onLoad() {
    this.key = rehu.key(); // the same report sent twice is one report
    this.setData(Object.assign(base(rehu, ['report']), {
      d: report.draft(null), wrong: {}, sent: null, photos: '',
      matters: options(report.MATTERS, 'report.matter.'), sinces: options(report.SINCES, 'report.since.'), tests: options(['yes', 'no'], 'report.test.'),
      needsTest: false,
    }));
    rehu.title(this.data.t.report_title);
    return rehu.session.with(function () { return rehu.api.me(); }).then((me) => {
      if (!this.data.d.address) this.setData({ d: Object.assign(report.draft(me), { matter: this.data.d.matter }) });
    }).catch((e) => failed(rehu, this, e));
  },
  choose(e) {
    const d = report.choose(this.data.d, e.currentTarget.dataset.field, e.currentTarget.dataset.value);
    this.setData({ d: d, needsTest: report.needsTest(d) });
  },
  type(e) { this.setData({ d: report.choose(this.data.d, e.currentTarget.dataset.field, e.detail.value) }); },
  photo() {
    return rehu.choosePhotos(5 - this.data.d.photos.length).then((more) => {
      const all = this.data.d.photos.concat(more).slice(0, 5);
      this.setData({ d: report.choose(this.data.d, 'photos', all), photos: rehu.t('report.photos', { n: all.length }) });
    }).catch(function () {}); // closed without a choice
  },
  send() {
    const missing = report.check(this.data.d);
    const wrong = {};
    Object.keys(missing).forEach(function (f) { wrong[f] = rehu.t(missing[f]); });
    this.setData({ wrong: wrong, problem: '' });
    if (Object.keys(wrong).length) return Promise.resolve();
    this.setData({ busy: true });
    const leave = rehu.askLeave(); // at the tap, or WeChat does not ask
    return leave.then(() => rehu.session.with(() => rehu.api.report(report.input(this.data.d, rehu.say), this.key))).then((c) => {
      return this.sendPhotos(c.token).then((all) => {
        const words = rehu.t(c.reminder ? 'report.reminded' : 'report.sent', { no: c.no });
        this.setData({ busy: false, sent: { token: c.token, words: words }, problem: all ? '' : rehu.t('report.photo_failed') });
      });
    }).catch((e) => failed(rehu, this, e));
  },
  sendPhotos(token) {
    return this.data.d.photos.reduce(function (before, path) {
      return before.then(function (ok) { return rehu.sendPhoto(token, path).then(function () { return ok; }, function () { return false; }); });
    }, Promise.resolve(true));
  },
  open() { rehu.replace('/pages/case/case?token=' + this.data.sent.token); },
});
