const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onLoad(query) {
    this.token = query.token;
    this.key = rehu.key();
    this.setData(Object.assign(base(rehu, ['rate']), { solved: '', satisfied: '', wrong: '', done: '' }));
    this.setData({
      solvedOptions: ['yes', 'no'].map((v) => ({ value: v, words: rehu.t('rate.solved.' + v) })),
      satisfiedOptions: ['yes', 'no'].map((v) => ({ value: v, words: rehu.t('rate.satisfied.' + v) })),
    });
    rehu.title(this.data.t.rate_title);
  },
  choose(e) { this.setData({ [e.currentTarget.dataset.field]: e.currentTarget.dataset.value }); },
  send() {
    this.setData({ wrong: this.data.solved ? '' : this.data.t.rate_need_solved, problem: '' });
    if (!this.data.solved) return Promise.resolve();
    this.setData({ busy: true });
    const rating = { solved: this.data.solved, satisfied: this.data.satisfied };
    return rehu.session.with(() => rehu.api.rate(this.token, rating, this.key)).then(() => {
      this.setData({ busy: false, done: this.data.t.rate_thanks });
      rehu.back();
    }).catch((e) => failed(rehu, this, e));
  },
});
