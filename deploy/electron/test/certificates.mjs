// Makes real certificates with openssl, for the time of the tests.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function workshop() {
  const dir = mkdtempSync(join(tmpdir(), 'fieldphone-electron-'));
  const at = (name) => join(dir, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  let serial = 1;

  /** Makes NAME.key and NAME.pem, signed by another of these or by itself. */
  function issue(name, { by = name, key = name, ca = false, san, usage = 'serverAuth', days = '30' }) {
    const lines = [`basicConstraints=critical,CA:${ca}`];
    if (san) lines.push(`subjectAltName=${san}`, `extendedKeyUsage=${usage}`);
    writeFileSync(at(`${name}.ext`), lines.join('\n'));
    if (key === name) openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(`${name}.key`));
    openssl('req', '-new', '-key', at(`${key}.key`), '-subj', `/CN=${ca ? key : name}`, '-out', at(`${name}.csr`));
    const signer = by === name ? ['-signkey', at(`${name}.key`)] : ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`)];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...signer, '-set_serial', String(serial++), '-days', days, '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`));
    return new X509Certificate(readFileSync(at(`${name}.pem`)));
  }
  return { issue, read: (file) => readFileSync(at(file), 'utf8'), path: at, close: () => rmSync(dir, { recursive: true }) };
}
