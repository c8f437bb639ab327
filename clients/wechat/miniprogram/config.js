// What differs from city to city. The address must be among the server domains of the mini program at WeChat.
module.exports = {
  base: 'https://heat.example.cn',
  city: 990100,
  phone: '96778',
};
