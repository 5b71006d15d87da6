// Tracks with the npm package matomo-tracker, as its README shows it: node track.mjs TRACKER_URL IDSITE TOKEN
import MatomoTracker from 'matomo-tracker';

const [, , url, idsite, token] = process.argv;
const matomo = new MatomoTracker(Number(idsite), url);
matomo.on('error', (error) => {
  console.error(`matomo-tracker: ${error}`);
  process.exitCode = 1;
});

const visitor = { cid: '0a1b2c3d4e5f6071', ua: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' };
const page = 'https://node.example/caf%C3%A9?size=2&color=blue';

matomo.track({
  ...visitor,
  url: page,
  action_name: 'Café & more',
  urlref: 'https://partner.example/links',
  cvar: JSON.stringify({ 1: ['plan', 'free'] }),
  token_auth: token,
  cip: '203.0.113.77',
});
// One after the other: two single requests at once may arrive in either order.
setTimeout(() => {
  matomo.trackBulk(
    [
      { ...visitor, url: page, e_c: 'Video', e_a: 'play', e_n: 'Trailer', e_v: '12.5' },
      { ...visitor, url: 'https://node.example/next', action_name: 'Next', uid: 'ann@node.example' },
    ],
    (answer) => console.log(answer),
  );
}, 300);
