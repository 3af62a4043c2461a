// Asks a URL until it answers, from inside a place: `node fetch.mjs PATIENCE_MS URL [CA_FILE]`.
// Prints the body of the first 200. Without a CA file any certificate will do.
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const [patienceMs, url, caFile] = process.argv.slice(2);
const trust = caFile ? { ca: readFileSync(caFile) } : { rejectUnauthorized: false };

function get() {
  const { get: request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...trust, timeout: 1000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new Error(`${url} answered ${response.statusCode}: ${Buffer.concat(parts)}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${url}: no answer in 1 s`)));
    asked.on('error', reject);
  });
}

const deadline = Date.now() + Number(patienceMs);
for (;;) {
  try {
    process.stdout.write(await get());
    break;
  } catch (error) {
    if (Date.now() > deadline) {
      console.error(error.message);
      process.exit(1);
    }
    await pause(25);
  }
}
