// Which certificates are taken for the site's. Pure: certificates in, a decision out.
import { isIP } from 'node:net';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const longestChain = 5;

/** A host of a URL without the brackets of IPv6. */
export const bareHost = (hostname) => hostname.replace(/^\[|\]$/g, '');

/**
 * Why the chain (X509Certificate, the server's first) does not prove that host belongs to
 * the site with the certificate authority ca; null if it does.
 *
 * Node checks no name constraints. Here they add nothing: the CA is believed for the one host
 * that the person opened, and for no other.
 */
export function problem(chain, host, ca, now) {
  const [leaf] = chain;
  if (!leaf || chain.length > longestChain + 1) return 'other_ca';
  if (!reaches(leaf, chain.slice(1), ca, now, longestChain)) return 'other_ca';
  if (!valid(leaf, now) || !valid(ca, now)) return 'not_valid_now';
  if (leaf.ca || !(leaf.keyUsage ?? []).includes(serverAuth)) return 'no_server_certificate';
  const bare = bareHost(host);
  return (isIP(bare) ? leaf.checkIP(bare) : leaf.checkHost(bare)) ? null : 'other_host';
}

/** A renewed CA is vouched for by the one before it, which old clients remember. */
function reaches(certificate, others, ca, now, depth) {
  if (issuedBy(certificate, ca)) return true;
  return (
    depth > 0 &&
    others.some((o) => o.ca && valid(o, now) && o.fingerprint256 !== certificate.fingerprint256 && issuedBy(certificate, o) && reaches(o, others, ca, now, depth - 1))
  );
}

const issuedBy = (certificate, issuer) => issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

const valid = (certificate, now) => Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);

/** The CA that a site shows: one that signed itself, and with this fingerprint if one is given. */
export function shownCA(chain, fingerprint) {
  const own = chain.slice(1).filter((c) => issuedBy(c, c));
  return own.find((c) => !fingerprint || c.fingerprint256 === fingerprint) ?? null;
}

/**
 * What to do with a site: {action: 'open', ca}, {action: 'ask', ca} for a person to compare, or
 * {action: 'refuse', code, ca?}.
 */
export function decide({ chain, host, remembered, fingerprint, now }) {
  if (remembered && !fingerprint) {
    const code = problem(chain, host, remembered, now);
    return code ? { action: 'refuse', code, ca: shownCA(chain) } : { action: 'open', ca: remembered };
  }
  const ca = shownCA(chain, fingerprint);
  if (!ca) return { action: 'refuse', code: fingerprint ? 'other_ca' : 'no_ca', ca: shownCA(chain) };
  const code = problem(chain, host, ca, now);
  if (code) return { action: 'refuse', code, ca };
  return { action: fingerprint ? 'open' : 'ask', ca };
}
