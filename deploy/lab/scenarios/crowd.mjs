// A page among thousands: a roster of 5,000 people and a chat of 10,000 messages. The server
// under it is real; the crowd is put into its answers and onto the page's own socket.
import assert from 'node:assert/strict';

const crowdSize = 5_000;
const stormPeople = 2_000;
const stormMs = 10_000;
/** As the hub gathers changes of presence. */
const tellMs = 250;
const chatLength = 10_000;
/** Rows that may be drawn at a time, whatever there is. */
const mostRows = 60;
const mostMessages = 260;

const families = ['Abara', 'Bianchi', 'Chen', 'Diallo', 'Eriksen', 'Fontaine', 'García', 'Haddad', 'Ito', 'Jansen'];
const crowd = Array.from({ length: crowdSize }, (_, i) => ({
  id: `crowd-${i}`,
  name: `${families[i % families.length]} ${String(i).padStart(4, '0')}`,
  ...(i % 3 === 0 ? { line: `tent ${i % 90}`, tags: [`team ${i % 12}`] } : {}),
}));

/** Lets a scenario speak on the page's socket as the server does. */
function holdSocket() {
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      window.line = this;
    }
  };
}

/** Moves a scroller up and down for a while, and measures its frames in milliseconds. */
async function frames({ selector, ms, step }) {
  const box = document.querySelector(selector);
  const times = [];
  let last = await new Promise(requestAnimationFrame);
  const end = last + ms;
  let down = true;
  while (last < end) {
    box.scrollTop += down ? step : -step;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) down = false;
    if (box.scrollTop === 0) down = true;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  const at = (part) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))]);
  return { count: times.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** Many sign in while somebody scrolls; what changed is told as the hub tells it, gathered. */
async function storm({ people, ms, every }) {
  const { line } = window;
  const rounds = Math.floor(ms / every);
  const each = Math.ceil(people.length / rounds);
  for (let i = 0; i < rounds; i += 1) {
    const now = people.slice(i * each, (i + 1) * each).map(({ id, name }) => ({ id, name, status: 'free' }));
    line.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ type: 'presence.update', data: { people: now } }) }));
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** Milliseconds from a letter in the search box until the list that fits is painted. */
async function searchTimes(words) {
  const box = document.querySelector('input[type="search"]');
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const times = [];
  for (const word of words) {
    for (let n = 1; n <= word.length; n += 1) {
      const began = performance.now();
      set.call(box, word.slice(0, n));
      box.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise(requestAnimationFrame);
      await new Promise((resolve) => setTimeout(resolve));
      times.push(performance.now() - began);
    }
  }
  times.sort((a, b) => a - b);
  return { p50: Math.round(times[Math.floor(times.length / 2)]), most: Math.round(times.at(-1)) };
}

/** Reads a chat upwards as fast as it comes, until its first message stands at the top. */
async function climb({ first, patienceMs }) {
  const log = document.querySelector('.log');
  const deadline = performance.now() + patienceMs;
  let most = 0;
  for (;;) {
    log.scrollTop = 0;
    const rows = log.getElementsByClassName('row');
    most = Math.max(most, rows.length);
    const top = rows[0]?.querySelector('.bubble')?.textContent ?? '';
    if (top.startsWith(first)) return { arrived: true, most };
    if (performance.now() > deadline) return { arrived: false, most, top };
    await new Promise(requestAnimationFrame);
  }
}

const show = ({ p50, p99, most, count }) => `p50 ${p50}${p99 === undefined ? '' : `, p99 ${p99}`}, max ${most} ms${count ? ` of ${count}` : ''}`;

const rows = (person) => person.page.locator('.people li').count();

/** What the server would answer for a page of a chat of 10,000. */
function page(query, { me, other }) {
  const limit = Number(query.get('limit'));
  const before = Math.min(Number(query.get('before') ?? chatLength + 1), chatLength + 1);
  const messages = [];
  for (let pos = Math.max(1, before - limit); pos < before; pos += 1) {
    const from = pos % 3 === 0 ? me : other;
    const body = `${pos}: the water tank at tent ${pos % 90} ${pos % 7 === 0 ? 'is empty again, please send somebody with a pump and two cans as soon as the road is open' : 'is full'}`;
    messages.push({ message: `m-crowd-${pos}`, chat: other.id, from: { id: from.id, name: from.name }, kind: 'text', body, pos, rev: pos, server_time: 1_790_000_000_000 + pos * 60_000 });
  }
  return { messages, more: messages[0].pos > 1, rev: chatLength };
}

export default [
  {
    name: 'roster-5000',
    about: '5,000 people: few rows drawn, search and scrolling while 2,000 sign in within 10 s',
    async run(lab) {
      const a1 = await lab.person('a1');
      await a1.page.route('**/api/v1/users', (route) =>
        route.fulfill({ json: { users: [{ id: a1.id, name: a1.name }, ...crowd] } }),
      );
      await a1.page.addInitScript(holdSocket);
      await a1.page.reload();
      await a1.page.getByText(crowd[0].name, { exact: true }).waitFor();
      assert.ok((await rows(a1)) < mostRows, `${await rows(a1)} rows are drawn`);
      const alone = await a1.page.evaluate(frames, { selector: '.roster-body', ms: 3_000, step: 120 });
      const [, busy] = await Promise.all([
        a1.page.evaluate(storm, { people: crowd.slice(0, stormPeople), ms: stormMs, every: tellMs }),
        a1.page.evaluate(frames, { selector: '.roster-body', ms: stormMs, step: 120 }),
      ]);
      await a1.reads(`${stormPeople} online`);
      assert.ok((await rows(a1)) < mostRows, `${await rows(a1)} rows are drawn after the storm`);
      const search = await a1.page.evaluate(searchTimes, ['fontaine', 'team 7', 'garcia 0016', 'crowd-4999']);
      await a1.page.getByRole('searchbox').fill('garcia 0016');
      await a1.reads('1 found');
      await a1.button('Message García 0016').waitFor();
      return { note: `frames alone ${show(alone)}, in the storm ${show(busy)}; search ${show(search)}`, alone, busy, search };
    },
  },
  {
    name: 'chat-10000',
    about: 'a chat of 10,000 messages is read from its end to its beginning, with few of them held',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a2.write(a1, 'the last one');
      await a1.openText(a2);
      await a1.reads('the last one');
      await a1.page.route('**/api/v1/chats/messages?*', (route) => {
        const query = new URL(route.request().url()).searchParams;
        if (query.has('since')) return route.fulfill({ json: { messages: [], more: false, rev: chatLength } });
        return route.fulfill({ json: page(query, { me: a1, other: a2 }) });
      });
      await a1.page.reload();
      await a1.openText(a2);
      await a1.reads(`${chatLength}: the water tank`);
      const climbed = await a1.page.evaluate(climb, { first: '1: the water tank at tent 1 is full', patienceMs: 90_000 });
      assert.ok(climbed.arrived, `the first message was not reached; at the top stood ${climbed.top}`);
      assert.ok(climbed.most <= mostMessages, `${climbed.most} messages are drawn`);
      const reading = await a1.page.evaluate(frames, { selector: '.log', ms: 3_000, step: 150 });
      return { note: `at most ${climbed.most} drawn; frames ${show(reading)}`, reading };
    },
  },
];
