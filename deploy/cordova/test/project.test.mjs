import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeProject, prepare } from '../project.mjs';

const dir = mkdtempSync(join(tmpdir(), 'fieldphone-cordova-'));
const project = join(dir, 'project');
const read = (file) => readFileSync(join(project, file), 'utf8');
after(() => rmSync(dir, { recursive: true }));

before(() => {
  for (const [name, ca] of [['ca', 'TRUE'], ['leaf', 'FALSE']]) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-addext', `basicConstraints=critical,CA:${ca}`, '-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.pem`)], { stdio: 'pipe' });
  }
  const made = makeProject('https://192.168.1.10:8443/?a=1&lang=zh-CN', join(dir, 'ca.pem'), project);
  assert.equal(made.fingerprint, new X509Certificate(readFileSync(join(dir, 'ca.pem'))).fingerprint256);
  process.env.npm_config_offline = 'true'; // the platforms come out of this folder's packages
  prepare(project);
});

test('Android trusts the site and may use camera and microphone', () => {
  const app = 'platforms/android/app/src/main/';
  const manifest = read(`${app}AndroidManifest.xml`);
  assert.match(manifest, /<application [^>]*android:networkSecurityConfig="@xml\/network_security_config"/);
  assert.match(manifest, /<application [^>]*android:allowBackup="false"/);
  assert.doesNotMatch(manifest, /usesCleartextTraffic="true"|debuggable="true"/);
  const permissions = [...manifest.matchAll(/<uses-permission android:name="android\.permission\.(\w+)"/g)].map((m) => m[1]).sort();
  assert.deepEqual(permissions, ['ACCESS_NETWORK_STATE', 'CAMERA', 'INTERNET', 'MODIFY_AUDIO_SETTINGS', 'RECORD_AUDIO']);
  const anchors = [...read(`${app}res/xml/network_security_config.xml`).matchAll(/<certificates src="([^"]+)"/g)].map((m) => m[1]);
  assert.deepEqual(anchors, ['@raw/site_ca']);
  assert.equal(new X509Certificate(read(`${app}res/raw/site_ca.pem`)).subject, 'CN=ca');
});

test('both open the site and stay on it', () => {
  for (const file of ['platforms/android/app/src/main/res/xml/config.xml', 'platforms/ios/App/config.xml']) {
    const config = read(file);
    assert.match(config, /<content src="https:\/\/192\.168\.1\.10:8443\/\?a=1(&amp;|&#38;)lang=zh-CN" \/>/, file);
    assert.deepEqual([...config.matchAll(/<allow-navigation href="([^"]+)"/g)].map((m) => m[1]), ['https://192.168.1.10:8443/*'], file);
    assert.doesNotMatch(config, /<allow-intent|origin="\*"/, file);
  }
});

test('iOS says why it asks, in both languages, and keeps transport security', () => {
  const plist = read('platforms/ios/App/App-Info.plist');
  const project_ = read('platforms/ios/App.xcodeproj/project.pbxproj');
  for (const key of ['NSCameraUsageDescription', 'NSMicrophoneUsageDescription', 'NSLocalNetworkUsageDescription']) {
    const [, said] = plist.match(new RegExp(`<key>${key}</key>\\s*<string>([^<]+)</string>`));
    assert.ok(read('en.lproj/InfoPlist.strings').includes(`"${key}" = "${said}";`), key);
    assert.match(read('zh-Hans.lproj/InfoPlist.strings'), new RegExp(`"${key}" = "[^"]*\\p{Script=Han}[^"]*";`, 'u'), key);
  }
  assert.match(plist, /<key>CFBundleLocalizations<\/key>\s*<array>\s*<string>en<\/string>\s*<string>zh-Hans<\/string>/);
  // The strict rules for the site, and no way around them for anybody.
  assert.match(plist, /<key>NSAppTransportSecurity<\/key>\s*<dict>\s*<key>NSExceptionDomains<\/key>\s*<dict>\s*<key>192\.168\.1\.10<\/key>\s*<dict\s*\/>\s*<\/dict>\s*<\/dict>/);
  assert.doesNotMatch(plist, /NSAllows|InsecureHTTPLoads/);
  for (const language of ['en', 'zh-Hans']) {
    assert.ok(project_.includes(`${language}.lproj`), `${language}.lproj is in the Xcode project`);
    assert.ok(existsSync(join(project, `platforms/ios/App/Resources/${language}.lproj/InfoPlist.strings`)), language);
  }
});

test('what is no site and no CA is refused', () => {
  const ca = join(dir, 'ca.pem');
  for (const address of ['http://192.168.1.10:8080/', '192.168.1.10', 'https://a:b@c/', 'file:///x', 'https://h/#x']) {
    assert.throws(() => makeProject(address, ca, join(dir, 'no')), /no address of a site/, address);
  }
  writeFileSync(join(dir, 'both.pem'), readFileSync(ca, 'utf8') + readFileSync(join(dir, 'ca.key'), 'utf8'));
  for (const [file, why] of [['leaf.pem', /not the certificate of a CA/], ['both.pem', /not the certificate of a CA/], ['ca.key', /no certificate/]]) {
    assert.throws(() => makeProject('https://192.168.1.10:8443/', join(dir, file), join(dir, 'no')), why, file);
  }
  assert.ok(!existsSync(join(dir, 'no')), 'nothing is written for a wrong request');
  assert.equal(makeProject('https://192.168.1.10:8443/?x="><evil/>', ca, join(dir, 'odd')).url, 'https://192.168.1.10:8443/?x=%22%3E%3Cevil/%3E');
});
