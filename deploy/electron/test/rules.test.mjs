import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Known } from '../src/known.mjs';
import { mayDownload, mayNavigate, mayUse, webPreferences } from '../src/policy.mjs';
import { parseFingerprint, parseTarget } from '../src/target.mjs';
import { languages, wordsFor } from '../src/words.mjs';
import { workshop } from './certificates.mjs';

const origin = 'https://10.0.0.1:8443';
const digits = 'ab'.repeat(32);

test('only the site gets permissions, and only those of a call', () => {
  for (const permission of ['media', 'notifications', 'fullscreen', 'screen-wake-lock']) {
    assert.equal(mayUse(permission, `${origin}/x`, origin), true, permission);
    for (const url of ['https://10.0.0.1/', 'http://10.0.0.1:8443/', 'https://10.0.0.1.evil:8443/', 'about:blank', '', 'https://10.0.0.1:8443@evil/']) assert.equal(mayUse(permission, url, origin), false, url);
  }
  for (const permission of ['geolocation', 'midi', 'hid', 'serial', 'usb', 'openExternal', 'clipboard-read', 'unknown']) assert.equal(mayUse(permission, origin, origin), false, permission);
});

test('the window stays on the site', () => {
  assert.equal(mayNavigate(`${origin}/?lang=en#join=x`, origin), true);
  for (const url of ['https://10.0.0.2:8443/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/html,x', 'not a url']) assert.equal(mayNavigate(url, origin), false, url);
  assert.equal(mayDownload(`blob:${origin}/1234`, origin), true);
  assert.equal(mayDownload('blob:null/1234', origin), false);
});

test('the page runs without rights', () => {
  const { contextIsolation, sandbox, webSecurity, nodeIntegration, webviewTag, spellcheck } = webPreferences;
  assert.deepEqual([contextIsolation, sandbox, webSecurity, nodeIntegration, webviewTag, spellcheck], [true, true, true, false, false, false]);
  assert.ok(Object.isFrozen(webPreferences));
});

test('main.mjs asks the rules at every door', () => {
  const main = readFileSync(new URL('../main.mjs', import.meta.url), 'utf8');
  for (const door of ['enableSandbox', 'setWindowOpenHandler', 'will-attach-webview', 'will-navigate', 'will-redirect', 'will-frame-navigate', 'setCertificateVerifyProc', 'setPermissionRequestHandler', 'setPermissionCheckHandler', 'setDevicePermissionHandler', 'will-download']) assert.ok(main.includes(door), door);
  for (const hole of ['preload', 'ipcMain', 'shell.', 'onHeadersReceived', 'certificate-error', 'ignore-certificate']) assert.ok(!main.includes(hole), hole);
});

test('targets', () => {
  const href = (text) => parseTarget(text).url.href;
  assert.equal(href(' 10.0.0.1 '), `${origin}/`);
  assert.equal(href('10.0.0.1:9/?a'), 'https://10.0.0.1:9/?a');
  assert.equal(href('fd00::1'), 'https://[fd00::1]:8443/');
  assert.equal(href('[fd00::1]:9'), 'https://[fd00::1]:9/');
  assert.equal(href('https://phone.lan/#join=x'), 'https://phone.lan/#join=x');
  const paired = parseTarget(`fieldphone://pair?url=${encodeURIComponent(`${origin}/`)}&ca=${digits}`);
  assert.deepEqual([paired.url.origin, paired.fingerprint], [origin, parseFingerprint(digits)]);
  assert.match(paired.fingerprint, /^AB(:AB){31}$/);
  for (const [text, code] of [['', 'not_a_url'], ['http://10.0.0.1:8080/', 'not_encrypted'], ['file:///x', 'not_a_url'], ['https://a:b@c/', 'not_a_url'], ['fieldphone://pair?url=x', 'bad_pairing'], [`fieldphone://pair?url=https://h/&ca=${digits}&ca=${digits}`, 'bad_pairing'], ['fieldphone://pair?url=https://h/&ca=12', 'not_a_fingerprint'], [`fieldphone://pair?url=javascript:1&ca=${digits}`, 'not_a_url']]) {
    assert.throws(() => parseTarget(text), { message: code }, text);
  }
});

const shop = workshop();
const dir = mkdtempSync(join(tmpdir(), 'fieldphone-known-'));
after(() => {
  shop.close();
  rmSync(dir, { recursive: true });
});

test('sites are remembered, and a damaged memory is not taken for an empty one', () => {
  const file = join(dir, 'sites.json');
  const ca = shop.issue('ca', { ca: true });
  assert.equal(new Known(file).last, null);
  new Known(file).remember(origin, ca);
  const again = new Known(file);
  assert.deepEqual([again.last, again.ca(origin).fingerprint256, again.ca('https://other'), again.ca('__proto__')], [origin, ca.fingerprint256, null, null]);
  assert.equal(statSync(file).mode & 0o077, 0);
  for (const bad of ['', '{', 'null', '{"sites":{"https://x":"no"},"last":null}', '{"sites":{},"last":"https://x"}']) {
    writeFileSync(file, bad);
    assert.throws(() => new Known(file), { message: 'damaged' }, bad);
  }
});

test('every reason has a sentence in each language', () => {
  const codes = ['not_a_fingerprint', 'not_a_url', 'not_encrypted', 'bad_pairing', 'out_of_reach', 'no_https', 'other_ca', 'not_valid_now', 'no_server_certificate', 'other_host', 'no_ca', 'damaged', 'no_site', 'compare', 'same', 'cancel', 'share'];
  assert.deepEqual(languages, ['en', 'zh']);
  for (const locale of ['en-GB', 'zh-CN']) for (const code of codes) assert.notEqual(wordsFor(locale)(code), code, `${locale} ${code}`);
  assert.notEqual(wordsFor('zh-TW')('same'), wordsFor('fr')('same'));
});
