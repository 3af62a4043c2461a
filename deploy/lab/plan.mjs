// The network that the lab builds: who is where, with which address. To add a place, add a
// line here; topology.mjs makes whatever stands here.

/**
 * Routed segments. `gateway` is the router's address, `server` the server's, which is the
 * segment's own or another's. From a `locked` one nothing passes the router but TCP to the
 * server's HTTPS port.
 */
export const segments = {
  A: { subnet: '10.77.1.0/24', gateway: '10.77.1.1', server: '10.77.1.2' },
  B: { subnet: '10.77.2.0/24', gateway: '10.77.2.1', server: '10.77.2.2' },
  L: { subnet: '10.77.3.0/24', gateway: '10.77.3.1', server: '10.77.1.2', locked: true },
};

/** The segment that the server's default route goes through. */
export const serverDefault = 'A';

/**
 * Wi-Fi access points that do NAT. `masquerade` is nftables' word for how the outer port is
 * chosen: nothing keeps the inner one, `random,fully-random` takes another for every
 * destination (a symmetric NAT). `isolated` means that the AP passes nothing from one of
 * its phones to another. Both have the same subnet inside, as boxes out of the shop do.
 */
export const hotspots = {
  sym: { on: 'B', address: '10.77.2.20', masquerade: 'random,fully-random', isolated: false },
  iso: { on: 'A', address: '10.77.1.20', masquerade: '', isolated: true },
};
export const inside = { subnet: '192.168.43.0/24', gateway: '192.168.43.1' };

/** The address that a phone gets where it walks to, another for each visit. */
export const roamedAddress = (visit) => `192.168.43.${30 + (visit % 200)}`;

/** The one port that is open from a locked segment. */
export const httpsPort = 443;

/** Where people are: a host in a segment, or a phone at a hotspot. */
export const hosts = {
  a1: { on: 'A', address: '10.77.1.11' },
  a2: { on: 'A', address: '10.77.1.12' },
  b1: { on: 'B', address: '10.77.2.11' },
  p1: { on: 'sym', address: '192.168.43.10' },
  q1: { on: 'iso', address: '192.168.43.10' },
  q2: { on: 'iso', address: '192.168.43.11' },
  l1: { on: 'L', address: '10.77.3.11' },
  l2: { on: 'L', address: '10.77.3.12' },
};

/** The segment whose wire a place's packets come out on. */
export function segmentOf(place) {
  const { on } = hosts[place] ?? hotspots[place];
  return on in segments ? on : hotspots[on].on;
}

/** The server's address that people in this place type. */
export const serverFor = (place) => segments[segmentOf(place)].server;

/** The segments that the server has a leg in. */
export const served = Object.keys(segments).filter((name) => !segments[name].locked);

export const serverAddresses = served.map((name) => segments[name].server);
export const places = ['r', 'srv', ...Object.keys(hotspots), ...Object.keys(hosts)];
