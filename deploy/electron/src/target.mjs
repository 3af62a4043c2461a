// What a person gives to open: a URL, an address, or a pairing link. Pure.

const defaultPort = '8443';

/** 64 hexadecimal digits, with or without separators, as upper-case pairs with colons. */
export function parseFingerprint(text) {
  const digits = text.replace(/[:\s-]/g, '').toUpperCase();
  if (!/^[0-9A-F]{64}$/.test(digits)) throw new Error('not_a_fingerprint');
  return digits.match(/../g).join(':');
}

/** {url, fingerprint?} with url an https URL; throws an Error whose message is a code of words.mjs. */
export function parseTarget(text) {
  text = text.trim();
  if (/^fieldphone:/i.test(text)) return parsePairing(text);
  if (!text.includes('://')) {
    const [host] = text.split('/', 1);
    const bare = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*$/i.test(host) ? `[${host}]` : host;
    const port = /:\d+$/.test(bare.replace(/^\[.*\]/, '')) ? '' : `:${defaultPort}`;
    text = `https://${bare}${port}${text.slice(host.length) || '/'}`;
  }
  return { url: httpsURL(text) };
}

function httpsURL(text) {
  if (!URL.canParse(text)) throw new Error('not_a_url');
  const url = new URL(text);
  if (url.protocol === 'http:') throw new Error('not_encrypted');
  if (url.protocol !== 'https:' || url.username || url.password) throw new Error('not_a_url');
  return url;
}

function parsePairing(text) {
  if (!URL.canParse(text)) throw new Error('bad_pairing');
  const link = new URL(text);
  const [urls, prints] = [link.searchParams.getAll('url'), link.searchParams.getAll('ca')];
  if (link.host !== 'pair' || urls.length !== 1 || prints.length !== 1) throw new Error('bad_pairing');
  return { url: httpsURL(urls[0]), fingerprint: parseFingerprint(prints[0]) };
}
