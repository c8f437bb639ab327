const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onLoad() { this.setData(base(rehu, ['login', 'home'])); rehu.title(this.data.t.app_name); },
  // go asks WeChat who it is; whoever bound a telephone before is back at once.
  go() {
    this.setData({ busy: true, problem: '' });
    return rehu.session.enter().then((is) => {
      this.setData({ busy: false });
      if (is) rehu.back();
      else rehu.replace('/pages/bind/bind');
    }).catch((e) => failed(rehu, this, e));
  },
  call() { rehu.call(); },
});
