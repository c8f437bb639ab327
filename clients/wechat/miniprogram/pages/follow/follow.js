const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onShow() {
    this.setData(Object.assign(base(rehu, ['follow']), { list: [], ready: false }));
    rehu.title(this.data.t.follow_title);
    return rehu.session.with(function () { return rehu.api.cases(); }).then((page) => {
      this.setData({ ready: true, list: page.items.map(this.line) });
    }).catch((e) => failed(rehu, this, e));
  },
  onPullDownRefresh() { return this.onShow(); },
  line(c) {
    const left = c.open && c.due_at ? rehu.format.left(c.due_at, Date.parse(c.now)) : null;
    return {
      token: c.token, no: c.no, status: c.standing, company: c.company || '',
      received: rehu.t('follow.received', { at: rehu.format.minute(c.received_at) }),
      due: rehu.format.spell(left, rehu.t), late: !!left && left.late,
    };
  },
  open(e) {
    const token = e.currentTarget.dataset.token;
    if (token) rehu.go('/pages/case/case?token=' + token); // whoever may only look at a home opens no case of others
  },
});
