const { base, failed } = require('../../lib/page');
const rehu = getApp().rehu;

Page({
  data: {},
  onLoad(query) {
    this.token = query.token;
    this.key = rehu.key();
    this.setData(Object.assign(base(rehu, ['case']), { c: null, text: '', done: '' }));
  },
  onShow() {
    this.setData({ problem: '' });
    return rehu.session.with(() => rehu.api.one(this.token)).then((c) => this.show(c)).catch((e) => failed(rehu, this, e));
  },
  show(c) {
    const left = c.open && c.due_at ? rehu.format.left(c.due_at, Date.parse(c.now)) : null;
    rehu.title(c.no);
    this.setData({
      busy: false,
      c: {
        no: c.no, status: c.standing, company: c.company || '', answer: c.answer || '', open: c.open, reopen: c.may_reopen, rate: c.may_rate,
        due: rehu.format.spell(left, rehu.t), late: !!left && left.late,
        steps: c.steps.map(function (s) { return { at: rehu.format.minute(s.at), words: s.words }; }),
      },
    });
  },
  type(e) { this.setData({ text: e.detail.value }); },
  // act sends something and shows the case as it then stands.
  act(work, words) {
    this.setData({ busy: true, problem: '', done: '' });
    return rehu.session.with(work).then((c) => {
      this.key = rehu.key();
      this.setData({ text: '', done: rehu.t(words) });
      this.show(c);
    }).catch((e) => failed(rehu, this, e));
  },
  remind() { return this.act(() => rehu.api.remind(this.token, this.data.text.trim(), this.key), 'case.reminded'); },
  reopen() { return this.act(() => rehu.api.reopen(this.token, this.data.text.trim(), this.key), 'case.reopened'); },
  photo() {
    return rehu.choosePhotos(5).then((paths) => {
      this.setData({ busy: true, problem: '' });
      return paths.reduce((before, p) => before.then(() => rehu.sendPhoto(this.token, p)), Promise.resolve());
    }, () => { throw null; }).then(() => this.setData({ busy: false, done: rehu.t('case.photo_sent') })).catch((e) => {
      if (e) failed(rehu, this, e);
    });
  },
  tell() {
    return rehu.askLeave().then((yes) => { if (yes.length) this.setData({ done: rehu.t('case.told_yes') }); });
  },
  rate() { rehu.go('/pages/rate/rate?token=' + this.token); },
});
