// What the window may do. Pure: each function answers one question of main.mjs.

/** Preferences of the only window. Spelling would fetch dictionaries from the internet. */
export const webPreferences = Object.freeze({
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
  safeDialogs: true,
});

const permissions = new Set(['media', 'notifications', 'fullscreen', 'screen-wake-lock', 'speaker-selection', 'clipboard-sanitized-write']);

export function originOf(url) {
  return URL.canParse(url) ? new URL(url).origin : 'null';
}

/** Whether a page at url may have a permission: the site's own alone, and only what calls need. */
export function mayUse(permission, url, origin) {
  return permissions.has(permission) && originOf(url) === origin;
}

/** Whether the window or a frame in it may go to url: it stays on the site. */
export function mayNavigate(url, origin) {
  return originOf(url) === origin;
}

/** Whether something may be saved: what the site itself made or serves. */
export function mayDownload(url, origin) {
  return originOf(url.replace(/^blob:/, '')) === origin;
}

/** Answers of session.setCertificateVerifyProc. */
export const verdict = Object.freeze({ accept: 0, refuse: -2 });
