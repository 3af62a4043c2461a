// Asks a site for its certificates, before anything about it is believed.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { bareHost } from './trust.mjs';

const timeout = 10_000;
const longest = 10;

/** The chain as shown, the server's certificate first. Throws an Error with a code of words.mjs. */
export function ask(url) {
  const host = bareHost(url.hostname);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      servername: isIP(host) ? undefined : host,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: false, // decide() judges the chain; nothing is sent
      timeout,
    });
    const fail = (code) => {
      socket.destroy();
      reject(new Error(code));
    };
    let connected = false;
    socket.once('connect', () => (connected = true));
    socket.once('timeout', () => fail('out_of_reach'));
    socket.once('error', () => fail(connected ? 'no_https' : 'out_of_reach'));
    socket.once('secureConnect', () => {
      resolve(chainOf(socket.getPeerCertificate(true)));
      socket.destroy();
    });
  });
}

function chainOf(certificate) {
  const chain = [];
  for (let c = certificate; c?.raw && chain.length < longest; c = c.issuerCertificate) {
    chain.push(new X509Certificate(c.raw));
    if (c.issuerCertificate === c) break;
  }
  return chain;
}

/** The same out of what Electron hands to a certificate verify procedure. */
export function chainOfElectron(certificate) {
  const chain = [];
  for (let c = certificate; c?.data && chain.length < longest; c = c.issuerCert) chain.push(new X509Certificate(c.data));
  return chain;
}
