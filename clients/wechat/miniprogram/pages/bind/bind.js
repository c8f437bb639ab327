const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onLoad() {
    this.setData(Object.assign(base(rehu, ['bind', 'home']), { number: '', code: '', sent: '', wrong: {} }));
    rehu.title(this.data.t.home_bind);
  },
  type(e) { this.setData({ [e.currentTarget.dataset.field]: e.detail.value }); },
  send() {
    if (!rehu.format.mobile(this.data.number)) {
      this.setData({ wrong: { number: this.data.t.bind_need_phone } });
      return Promise.resolve();
    }
    this.setData({ busy: true, problem: '', wrong: {} });
    return rehu.api.askCode(this.data.number).then((a) => {
      this.setData({ busy: false, sent: rehu.t('bind.sent', { n: a.minutes }) });
    }).catch((e) => failed(rehu, this, e));
  },
  go() {
    const wrong = {};
    if (!rehu.format.mobile(this.data.number)) wrong.number = this.data.t.bind_need_phone;
    if (!/^\d{6}$/.test(this.data.code.trim())) wrong.code = this.data.t.bind_need_code;
    this.setData({ wrong: wrong, problem: '' });
    if (wrong.number || wrong.code) return Promise.resolve();
    this.setData({ busy: true });
    return rehu.session.bind(this.data.number, this.data.code.trim()).then(() => {
      this.setData({ busy: false });
      rehu.back();
    }).catch((e) => failed(rehu, this, e));
  },
});
