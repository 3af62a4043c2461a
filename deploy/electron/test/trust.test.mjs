import assert from 'node:assert/strict';
import { createServer as plain } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer } from 'node:tls';
import { ask, chainOfElectron } from '../src/ask.mjs';
import { decide, problem, shownCA } from '../src/trust.mjs';
import { workshop } from './certificates.mjs';

const shop = workshop();
after(() => shop.close());
const month = 31 * 24 * 3600_000;
let now, ca, other, leaf, foreign, named, client, fake, renewed, bridge, young;

before(() => {
  ca = shop.issue('ca', { ca: true });
  other = shop.issue('other', { ca: true });
  leaf = shop.issue('leaf', { by: 'ca', san: 'IP:127.0.0.1,IP:fd00::1,DNS:fieldphone.local' });
  foreign = shop.issue('foreign', { by: 'other', san: 'IP:127.0.0.1' });
  named = shop.issue('named', { by: 'ca', san: 'DNS:elsewhere.lan' });
  client = shop.issue('client', { by: 'ca', san: 'IP:127.0.0.1', usage: 'clientAuth' });
  fake = shop.issue('fake', { by: 'leaf', san: 'IP:127.0.0.1' });
  renewed = shop.issue('renewed', { ca: true });
  bridge = shop.issue('bridge', { by: 'ca', key: 'renewed', ca: true });
  young = shop.issue('young', { by: 'renewed', san: 'IP:127.0.0.1' });
  now = Date.now(); // after the certificates, which are good from their second on
});

test('a chain proves the site, or the reason why not is told', () => {
  const cases = [
    ['the site by IPv4', [leaf, ca], '127.0.0.1', null],
    ['by IPv6', [leaf, ca], '[fd00::1]', null],
    ['by name', [leaf, ca], 'FieldPhone.local', null],
    ['without its CA', [leaf], '127.0.0.1', null],
    ['another address', [leaf, ca], '127.0.0.2', 'other_host'],
    ['another name of the same CA', [named, ca], 'fieldphone.local', 'other_host'],
    ['another CA', [foreign, other], '127.0.0.1', 'other_ca'],
    ['another CA that shows ours as well', [foreign, ca], '127.0.0.1', 'other_ca'],
    ['a certificate signed by a server', [fake, leaf, ca], '127.0.0.1', 'other_ca'],
    ['a certificate of people', [client, ca], '127.0.0.1', 'no_server_certificate'],
    ['the CA itself', [ca], '127.0.0.1', 'no_server_certificate'],
    ['a renewed CA with the bridge', [young, renewed, bridge], '127.0.0.1', null],
    ['a renewed CA without it', [young, renewed], '127.0.0.1', 'other_ca'],
    ['nothing', [], '127.0.0.1', 'other_ca'],
    ['too much', [leaf, ...Array(9).fill(ca)], '127.0.0.1', 'other_ca'],
  ];
  for (const [name, chain, host, want] of cases) assert.equal(problem(chain, host, ca, now), want, name);
  assert.equal(problem([leaf, ca], '127.0.0.1', ca, now + month), 'not_valid_now');
  assert.equal(problem([leaf, ca], '127.0.0.1', ca, now - month), 'not_valid_now');
});

test('a person compares once, a link replaces it, a change is refused', () => {
  const base = { chain: [leaf, ca], host: '127.0.0.1', remembered: null, now };
  const does = (change) => {
    const { action, code } = decide({ ...base, ...change });
    return code ?? action;
  };
  assert.equal(does({}), 'ask');
  assert.equal(does({ remembered: ca }), 'open');
  assert.equal(does({ remembered: other }), 'other_ca');
  assert.equal(does({ remembered: other, fingerprint: ca.fingerprint256 }), 'open');
  assert.equal(does({ fingerprint: other.fingerprint256 }), 'other_ca');
  assert.equal(does({ chain: [leaf] }), 'no_ca');
  assert.equal(does({ chain: [foreign, ca], fingerprint: ca.fingerprint256 }), 'other_ca');
  assert.equal(does({ host: '127.0.0.9' }), 'other_host');
  assert.equal(decide({ ...base, remembered: other }).ca.fingerprint256, ca.fingerprint256);
  assert.equal(shownCA([leaf, bridge]), null);
});

test('certificates as Electron hands them over', () => {
  const given = { data: leaf.toString(), issuerCert: { data: ca.toString() } };
  assert.deepEqual(chainOfElectron(given).map((c) => c.fingerprint256), [leaf.fingerprint256, ca.fingerprint256]);
  assert.equal(problem(chainOfElectron(given), '127.0.0.1', ca, now), null);
  given.issuerCert.issuerCert = given;
  assert.equal(chainOfElectron(given).length, 10);
});

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new URL(`https://127.0.0.1:${server.address().port}/`))));

test('a server is asked for its chain over the network', async () => {
  const server = createServer({ key: shop.read('leaf.key'), cert: shop.read('leaf.pem') + shop.read('ca.pem') }, (socket) => socket.on('error', () => {}));
  const url = await listen(server);
  const chain = await ask(url);
  server.close();
  assert.deepEqual(chain.map((c) => c.fingerprint256), [leaf.fingerprint256, ca.fingerprint256]);
  await assert.rejects(ask(url), { message: 'out_of_reach' });
});

test('a server without HTTPS is told apart', async () => {
  const server = plain((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const url = await listen(server);
  await assert.rejects(ask(url), { message: 'no_https' });
  server.close();
});
