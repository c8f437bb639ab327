const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onShow() {
    this.setData(Object.assign(base(rehu, ['home']), { bound: rehu.session.bound(), open: '', me: '' }));
    rehu.title(this.data.t.app_name);
    return rehu.session.with(function () { return rehu.api.me(); }).then((me) => {
      const open = me.open > 0 ? rehu.t('home.open', { n: me.open }) : '';
      this.setData({ bound: true, open: open, me: rehu.t('home.bound', { phone: me.phone }) });
    }).catch((e) => {
      this.setData({ bound: false });
      if (e && e.status !== 401) failed(rehu, this, e);
    });
  },
  report() { rehu.go('/pages/report/report'); },
  follow() { rehu.go('/pages/follow/follow'); },
  bind() { rehu.go('/pages/bind/bind'); },
  call() { rehu.call(); },
  resize() {
    rehu.set('size', this.data.size === 'large' ? 'normal' : 'large');
    this.setData({ size: rehu.size() });
  },
  translate() {
    rehu.set('lang', this.data.lang === 'zh' ? 'en' : 'zh');
    return this.onShow();
  },
});
