// The shell: one window, one site. What it may do is decided in src/, which runs without
// Electron and is tested there.
import { join } from 'node:path';
import { app, BrowserWindow, desktopCapturer, dialog, session } from 'electron';
import { ask, chainOfElectron } from './src/ask.mjs';
import { Known } from './src/known.mjs';
import * as policy from './src/policy.mjs';
import { parseTarget } from './src/target.mjs';
import { bareHost, decide, problem } from './src/trust.mjs';
import { wordsFor } from './src/words.mjs';

app.enableSandbox();
let pairingLink; // macOS hands links over by an event
app.on('open-url', (event, link) => {
  event.preventDefault();
  pairingLink = link;
});
app.on('window-all-closed', () => app.quit());
// Whatever is made, by whomever, stays inside.
app.on('web-contents-created', (_, contents) => {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
});

if (app.requestSingleInstanceLock()) app.whenReady().then(start);
else app.quit();

async function start() {
  const say = wordsFor(app.getLocale());
  try {
    const site = await choose(say);
    if (site) await open(site, say);
    else app.quit();
  } catch (error) {
    dialog.showErrorBox('Fieldphone', say(error.message));
    app.exit(1);
  }
}

/** {url, ca} of the site that the person means; null if the person says no. */
async function choose(say) {
  const known = new Known(join(app.getPath('userData'), 'sites.json'));
  const given = pairingLink ?? process.argv.slice(app.isPackaged ? 1 : 2).find((arg) => !arg.startsWith('-')) ?? known.last;
  if (!given) throw new Error('no_site');
  const { url, fingerprint } = parseTarget(given);
  const chain = await ask(url);
  const decision = decide({ chain, host: url.hostname, remembered: known.ca(url.origin), fingerprint, now: Date.now() });
  if (decision.action === 'refuse') throw new Error(decision.code);
  if (decision.action === 'ask') {
    const { response } = await dialog.showMessageBox({
      type: 'question',
      message: say('compare'),
      detail: `${url.host}\n\n${decision.ca.fingerprint256.slice(0, 48)}\n${decision.ca.fingerprint256.slice(48)}`,
      buttons: [say('cancel'), say('same')],
      defaultId: 0,
      cancelId: 0,
    });
    if (response !== 1) return null;
  }
  known.remember(url.origin, decision.ca);
  return { url, ca: decision.ca };
}

async function open({ url, ca }, say) {
  const { origin } = url;
  const ours = session.fromPartition(`persist:${origin}`);
  harden(ours, url, ca, say);
  const window = new BrowserWindow({ width: 1280, height: 800, autoHideMenuBar: true, webPreferences: { ...policy.webPreferences, session: ours } });
  const stay = (event) => {
    if (!policy.mayNavigate(event.url, origin)) event.preventDefault();
  };
  for (const leaving of ['will-navigate', 'will-redirect', 'will-frame-navigate']) window.webContents.on(leaving, stay);
  app.on('second-instance', () => window.focus());
  await window.loadURL(url.href);
}

/** The session talks to the site alone, and gives permissions to the site alone. Headers are left as they come: the page's CSP holds. */
function harden(ours, url, ca, say) {
  const { origin } = url;
  ours.setCertificateVerifyProc(({ hostname, certificate }, answer) => {
    const wrong = bareHost(hostname) !== bareHost(url.hostname) || problem(chainOfElectron(certificate), hostname, ca, Date.now());
    answer(wrong ? policy.verdict.refuse : policy.verdict.accept);
  });
  ours.setPermissionRequestHandler((contents, permission, answer, details) => answer(policy.mayUse(permission, details.requestingUrl ?? contents.getURL(), origin)));
  ours.setPermissionCheckHandler((_, permission, requesting) => policy.mayUse(permission, requesting, origin));
  ours.setDevicePermissionHandler(() => false);
  ours.on('will-download', (event, item) => {
    if (!policy.mayDownload(item.getURL(), origin)) event.preventDefault();
  });
  ours.setDisplayMediaRequestHandler(async (request, answer) => answer(policy.mayNavigate(request.securityOrigin, origin) ? await pick(say) : {}), { useSystemPicker: true });
}

/** Where the system has no picker of its own, a person picks the screen or window to share. */
async function pick(say) {
  const most = 12;
  const sources = (await desktopCapturer.getSources({ types: ['screen', 'window'] })).slice(0, most);
  const { response } = await dialog.showMessageBox({ message: say('share'), buttons: [say('cancel'), ...sources.map((s) => s.name)], cancelId: 0 });
  return response > 0 ? { video: sources[response - 1] } : {};
}
