// Makes a Cordova project for one site: node project.mjs URL CA.pem [FOLDER]
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const usage = 'usage: node project.mjs https://ADDRESS:8443/ fieldphone-ca.pem [FOLDER]';

/** Writes the project and returns what a person has to compare. Throws with a sentence. */
export function makeProject(address, caFile, folder) {
  const url = siteURL(address);
  const ca = certificate(caFile);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(here, 'template'), folder, { recursive: true });
  for (const file of ['config.xml', 'www/index.html']) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll('@URL@', escape(url.href)).replaceAll('@ORIGIN@', escape(url.origin)));
  }
  writeFileSync(join(folder, 'android-files', 'site_ca.pem'), ca.toString());
  // Cordova looks for its platforms there and nowhere above.
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return { url: url.href, fingerprint: ca.fingerprint256 };
}

/**
 * Adds the platforms and writes their files; no vendor's SDK is needed for that. Twice, as
 * Cordova leaves the <edit-config> of a project out when it has just added a platform: the
 * application would not have its network security configuration.
 */
export function prepare(folder) {
  const cordova = join(here, 'node_modules', 'cordova', 'bin', 'cordova');
  for (let i = 0; i < 2; i++) {
    execFileSync(process.execPath, [cordova, 'prepare', '--no-telemetry'], { cwd: folder, stdio: 'pipe', env: { ...process.env, CI: '1' } });
  }
}

function siteURL(address) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== 'https:' || url.username || url.password || url.hash) {
    throw new Error(`${address} is no address of a site; take the https one that the server shows, like https://192.168.1.10:8443/`);
  }
  return url;
}

function certificate(file) {
  const text = readFileSync(file, 'utf8');
  let ca;
  try {
    ca = new X509Certificate(text);
  } catch (cause) {
    throw new Error(`${file} holds no certificate; take fieldphone-ca.pem from the server's http page`, { cause });
  }
  if (!ca.ca || /PRIVATE KEY/.test(text)) {
    throw new Error(`${file} is not the certificate of a CA alone; take fieldphone-ca.pem from the server's http page`);
  }
  return ca;
}

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address, caFile, folder = join(here, 'build')] = process.argv.slice(2);
  try {
    if (!caFile) throw new Error(usage);
    const { url, fingerprint } = makeProject(address, caFile, folder);
    prepare(folder);
    console.log(`${folder} opens ${url}\nSHA-256 of its CA, to compare with the server's screen:\n  ${fingerprint}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
