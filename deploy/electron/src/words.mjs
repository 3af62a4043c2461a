// What the shell says before the page speaks for itself.
const words = {
  en: {
    not_a_fingerprint: 'The SHA-256 of a CA has 64 digits 0-9 and A-F.',
    not_a_url: 'This is no address of a page. Write it like https://192.168.1.10:8443/',
    not_encrypted: 'Use the https address that the server shows: without encryption there is no camera.',
    bad_pairing: 'The pairing link is not whole.',
    out_of_reach: 'The server is out of reach. Check that this computer is on its network and that it runs.',
    no_https: 'Something answers there, but not with HTTPS. Use the https address that the server shows.',
    other_ca: 'The site has another CA than expected. Its administrator made a new one, or this is another server, or somebody is in between. Ask the administrator; to accept a new CA, open the new pairing link.',
    not_valid_now: "The certificate is not valid at this computer's time. Set the clock that is wrong.",
    no_server_certificate: 'The certificate is not one for servers.',
    other_host: 'The certificate is not for this address. Use one that the server shows.',
    no_ca: 'The site shows no CA of its own, so there is nothing to compare.',
    damaged: 'What this computer knew of sites is damaged. Delete the file sites.json and compare anew.',
    no_site: 'Start with the address of a site or its pairing link, like: fieldphone-electron https://192.168.1.10:8443/',
    compare: "Compare the SHA-256 of this site's CA with the server's screen or poster. Is it the same?",
    same: 'It is the same',
    cancel: 'Cancel',
    share: 'What do you want to share?',
  },
  zh: {
    not_a_fingerprint: 'CA 的 SHA-256 由 64 位 0-9 和 A-F 组成。',
    not_a_url: '这不是网页地址。格式如 https://192.168.1.10:8443/',
    not_encrypted: '请使用服务器显示的 https 地址：没有加密就不能使用摄像头。',
    bad_pairing: '配对链接不完整。',
    out_of_reach: '无法连接服务器。请检查这台电脑是否在同一网络，服务器是否在运行。',
    no_https: '那里有程序应答，但不是 HTTPS。请使用服务器显示的 https 地址。',
    other_ca: '站点的 CA 与预期不同：管理员换了新的 CA，或这是另一台服务器，或有人在中间截取。请询问管理员；要接受新的 CA，请打开新的配对链接。',
    not_valid_now: '按这台电脑的时间，证书无效。请校正时钟。',
    no_server_certificate: '这不是服务器证书。',
    other_host: '证书不适用于此地址。请使用服务器显示的地址。',
    no_ca: '站点没有出示自己的 CA，无从比对。',
    damaged: '这台电脑保存的站点记录已损坏。请删除 sites.json 后重新比对。',
    no_site: '请用站点地址或配对链接启动，例如：fieldphone-electron https://192.168.1.10:8443/',
    compare: '请将此站点 CA 的 SHA-256 与服务器屏幕或海报上的比对。是否相同？',
    same: '相同',
    cancel: '取消',
    share: '要共享什么？',
  },
};

export const languages = Object.keys(words);

/** The sentences for a locale; a code without a sentence comes back as it is. */
export function wordsFor(locale) {
  const table = words[locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'];
  return (code) => table[code] ?? code;
}
