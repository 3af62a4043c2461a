const texts = {
  title: "Connection test",
  close: "Close",
  again: "Run again",
  copy: "Copy report",
  copied: "Copied",
  what: "Tests the ways from this device to the server. The result also goes to the administrator.",
  running: "Testing… {done} of {all}",
  waiting: "Waiting",
  ms: "{ms} ms",

  "verdict.fine": "Everything works. Calls from here will connect.",
  "verdict.some": "Calls from here will connect. Not everything is as it should be, see below.",
  "verdict.tcp":
    "Calls from here will connect, but only over TCP: sound and picture may stutter when the network is bad.",
  "verdict.none":
    "The relay cannot be reached. Calls to other networks will fail; calls within this Wi-Fi may work.",
  "verdict.away":
    "The server does not answer. Check that this device is on the right Wi-Fi, then run the test again.",

  "verdict.refused":
    "The server does not say what to test. Sign out and enter again; if it stays so, tell the administrator.",

  "leg.clock": "Clock",
  "leg.tls": "Certificate",
  "leg.signalling": "Signalling",
  "leg.stun": "STUN",
  "leg.turn_udp": "Relay over UDP",
  "leg.turn_tcp": "Relay over TCP",
  "leg.turn_tls": "Relay over TLS",
  "leg.turn_https": "Relay over the HTTPS port",
  "leg.throughput": "Speed and loss",
  "leg.ports": "Relay ports",
  "leg.nat": "Address translation (NAT)",

  "state.ok": "works",
  "state.slow": "not as it should be",
  "state.failed": "does not work",
  "state.skipped": "not tested",
  "state.running": "is being tested",

  "clock.ok": "Right to within {seconds} s.",
  "clock.ahead": "This device's clock is {time} ahead. Set its date and time.",
  "clock.behind": "This device's clock is {time} behind. Set its date and time.",
  "clock.no_answer": "The server did not tell its time.",
  "clock.seconds": "{n} s",
  "clock.minutes": "{n} min",
  "clock.hours": "{n} h",
  "clock.days": "{n} days",

  "tls.ok": "Trusted by this browser.",
  "tls.untrusted":
    "This browser was told to go on although it does not trust the certificate. Calls work; the relay over TLS and the page as an app need it installed: {start}",
  "tls.unknown": "This browser does not say. If it warned of this page, install the certificate: {start}",

  "signalling.ok": "WebSocket, {rtt} ms there and back.",
  "signalling.fallback":
    "WebSockets do not get through, the event stream takes their place. Calls work. Install the certificate, or ask the administrator about a proxy in between.",
  "signalling.slow": "The server takes {rtt} ms to answer. The Wi-Fi is weak or full.",
  "signalling.timeout": "The server did not answer. Check the Wi-Fi.",

  "way.ok": "{target}",
  "way.timeout": "{protocol} port {port} to {host} does not get through. Ask the administrator to open it.",
  "way.refused":
    "{host} refuses at {protocol} port {port}. Ask the administrator whether the relay listens there.",
  "way.unauthorized":
    "The relay does not accept this sign-in. Sign out and enter again; if it stays so, tell the administrator.",
  "way.untrusted": "The certificate is not trusted, and here no warning can be passed. Install it: {start}",
  "way.name": "The name {host} has no address on this network. Tell the administrator.",
  "way.no_candidate": "This browser found no way to {host}. Tell the administrator.",
  "way.unsupported": "This browser uses TLS to a relay only by name, and here is none.",
  "way.slow": "It works, but it takes {ms} ms. Calls begin late.",

  "throughput.ok": "{mbps} Mbit/s, {loss} % lost, {rtt} ms there and back, {jitter} ms jitter.",
  "throughput.lossy":
    "{loss} % is lost on the way: sound and picture will break up. Go nearer to the access point, or tell the administrator.",
  "throughput.slow":
    "Only {mbps} Mbit/s, {rtt} ms there and back: pictures will be poor. The Wi-Fi is weak or full.",
  "throughput.timeout": "Nothing came through the relay. Tell the administrator.",
  "throughput.busy": "Not during a call.",
  "throughput.no_relay": "There is no relay to measure.",

  "ports.ok": "All {asked} that were tried answer.",
  "ports.blocked":
    "{count} of {asked} that were tried do not answer: {ports}. Ask the administrator to open the relay ports (UDP) of {host}.",
  "ports.all_blocked":
    "None of the {asked} that were tried answers. Calls from here work only through a relay of their own. Ask the administrator to open the relay ports (UDP) of {host}.",
  "ports.skipped": "The server has no ports to spare for the test just now.",

  "nat.keeps": "This network keeps an address for all connections: direct calls have a good chance.",
  "nat.changes":
    "This network gives each connection another address: calls to other networks go through the relay.",
  "nat.skipped": "One of the server's two addresses did not answer.",

  internal: "The test itself failed. Run it again; if it stays so, send the report to the administrator.",
} as const;

export type PathTexts = Record<keyof typeof texts, string>;
export const en: PathTexts = texts;
