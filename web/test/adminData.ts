// A site as the dashboard meets it: two segments, a hotspot, a call through the relay.
export const now = 1_795_426_200_000;

const wave = (n: number, middle: number, swing: number) =>
  Array.from({ length: n }, (_, i) =>
    Math.round(middle + swing * Math.sin(i / 4) + swing * 0.4 * Math.sin(i * 1.7)),
  );

const samples = (up: number, down: number, rtt: number, loss: number) =>
  wave(48, up, up / 6).map((kbps, i) => ({
    at: now - (48 - i) * 5_000,
    rtt_ms: rtt + (i % 5),
    loss: i === 30 ? loss * 4 : loss,
    up_kbps: kbps,
    down_kbps: Math.round(down + (kbps - up) / 2),
  }));

const report = (path: object, up: number, down: number, rtt: number, loss: number) => ({
  report: { at: now - 1_200, path, rtt_ms: rtt, loss, up_kbps: up, down_kbps: down },
  samples: samples(up, down, rtt, loss),
});

export const legs = [
  { leg: "clock", state: "ok", ms: 3 },
  { leg: "tls", state: "ok", ms: 12 },
  { leg: "signalling", state: "ok", ms: 4 },
  { leg: "stun", state: "ok", ms: 3, target: "10.77.1.2:3478/udp" },
  { leg: "turn_udp", state: "ok", ms: 9, target: "10.77.1.2:3478/udp" },
  { leg: "turn_tcp", state: "ok", ms: 14, target: "10.77.1.2:3478/tcp" },
];

export const blocked = legs.map((leg) =>
  ["stun", "turn_udp"].includes(leg.leg)
    ? { ...leg, state: "failed", code: "timeout", ms: undefined, target: "10.77.2.2:3478/udp" }
    : leg,
);

const device = (name: string, address: string, segment: string, minutes: number, more: object = {}) => ({
  device: name,
  session: `s-${name}`,
  address,
  segment,
  transport: "wss",
  since: now - minutes * 60_000,
  ...more,
});

export const live = {
  server_time: now,
  node: "camp-1",
  version: "1.4.0",
  uptime_s: 277_400,
  people: [
    {
      id: "ada",
      name: "Ada Lovelace",
      guest: false,
      admin: true,
      status: "busy",
      devices: [
        device("web-3f9a21c0", "10.77.1.21:51012", "north", 190, {
          path: { at: now - 340_000, legs, findings: [] },
        }),
      ],
    },
    {
      id: "ben",
      name: "Ben Okri",
      guest: false,
      admin: false,
      status: "busy",
      devices: [
        device("web-77aa01de", "10.77.2.31:40112", "south", 44, {
          path: { at: now - 95_000, legs: blocked, findings: [] },
        }),
        device("phone-10c2aa90", "10.77.1.44:33120", "north", 612, { transport: "sse" }),
      ],
    },
    {
      id: "chen",
      name: "陈晓明",
      guest: false,
      admin: false,
      status: "busy",
      devices: [device("web-aa12bb34", "10.77.1.52:50311", "north", 12)],
    },
    {
      id: "guest-7f3a",
      name: "Dina",
      guest: true,
      admin: false,
      status: "busy",
      devices: [device("web-99ee0001", "10.77.2.40:50999", "south", 8)],
    },
    {
      id: "eva",
      name: "Eva",
      guest: false,
      admin: false,
      status: "free",
      devices: [device("web-0001ffee", "192.168.43.7:41000", "", 3)],
    },
  ],
  calls: [
    {
      call: "c-4b1d0f6e2a",
      state: "active",
      media: "video",
      since: now - 754_000,
      started: now - 748_000,
      ends: [
        {
          user: { id: "ada", name: "Ada Lovelace" },
          device: "web-3f9a21c0",
          address: "10.77.1.21:51012",
          segment: "north",
          ...report({ local: "host", remote: "relay", protocol: "udp" }, 1240, 980, 11, 0.002),
        },
        {
          user: { id: "ben", name: "Ben Okri" },
          device: "web-77aa01de",
          address: "10.77.2.31:40112",
          segment: "south",
          ...report(
            {
              local: "relay",
              remote: "host",
              protocol: "udp",
              relay_protocol: "tcp",
              relay: "10.77.2.2:49207",
            },
            970,
            1190,
            34,
            0.021,
          ),
        },
      ],
    },
    {
      call: "c-0a77e1",
      state: "active",
      media: "audio",
      since: now - 65_000,
      started: now - 61_000,
      ends: [
        {
          user: { id: "chen", name: "陈晓明" },
          device: "web-aa12bb34",
          address: "10.77.1.52:50311",
          segment: "north",
          ...report(
            {
              local: "relay",
              remote: "relay",
              protocol: "udp",
              relay_protocol: "udp",
              relay: "10.77.1.2:49171",
            },
            41,
            40,
            18,
            0,
          ),
        },
        {
          user: { id: "guest-7f3a", name: "Dina" },
          device: "web-99ee0001",
          address: "10.77.2.40:50999",
          segment: "south",
          samples: [],
        },
      ],
    },
  ],
  allocations: [
    {
      id: 18,
      user: "ben",
      session: "s-1",
      client: "10.77.2.31:40133",
      server: "10.77.2.2:3478",
      relayed: "10.77.2.2:49207",
      transport: "tcp",
      peers: ["10.77.1.21:52144"],
      created: now - 747_000,
      expires: now + 400_000,
      outside: false,
      up_kbps: 1004,
      down_kbps: 1223,
      bytes_up: 93_000_000,
      bytes_down: 112_400_000,
      dropped: 0,
    },
    {
      id: 21,
      user: "chen",
      session: "s-2",
      client: "10.77.1.52:50333",
      server: "10.77.1.2:3478",
      relayed: "10.77.1.2:49171",
      transport: "udp",
      peers: ["10.77.2.2:49310", "10.77.2.40:50999", "192.168.43.7:40012"],
      created: now - 60_000,
      expires: now + 540_000,
      outside: false,
      up_kbps: 44,
      down_kbps: 43,
      bytes_up: 330_000,
      bytes_down: 322_000,
      dropped: 12,
    },
    {
      id: 22,
      user: "guest-7f3a",
      session: "s-3",
      client: "10.77.2.40:51001",
      server: "10.77.2.2:3478",
      relayed: "10.77.2.2:49310",
      transport: "udp",
      peers: ["10.77.1.2:49171"],
      created: now - 59_000,
      expires: now + 541_000,
      outside: true,
      up_kbps: 43,
      down_kbps: 44,
      bytes_up: 322_000,
      bytes_down: 330_000,
      dropped: 0,
    },
  ],
  ports: [
    {
      address: "10.77.1.2",
      min: 49160,
      max: 49259,
      used: 31,
      outside: 0,
      free: 67,
      peak: 58,
      refused: 0,
      taken: 2,
    },
    {
      address: "10.77.2.2",
      min: 49160,
      max: 49259,
      used: 88,
      outside: 1,
      free: 12,
      peak: 91,
      refused: 4,
      taken: 0,
    },
  ],
  forecast: { peak: 91, per_call: 2.2, calls_left: 5, state: "tight", full_in_s: 2_400 },
  segments: [
    {
      name: "north",
      clients: ["10.77.1.0/24"],
      server_addresses: ["10.77.1.2"],
      turn_addresses: [],
      transports: ["udp", "tcp", "tls", "https"],
      derived: true,
      interface: "eth0",
      people: 3,
      calls: 2,
    },
    {
      name: "south",
      clients: ["10.77.2.0/24", "10.77.3.0/24"],
      server_addresses: ["10.77.2.2"],
      turn_addresses: ["10.77.2.2:3478"],
      transports: ["udp", "tcp"],
      derived: false,
      people: 2,
      calls: 2,
    },
  ],
  left_out: [
    { interface: "docker0", address: "172.17.0.1/16", reason: "container" },
    { interface: "wg0", address: "10.8.0.3/24", reason: "vpn" },
    { interface: "wlan0", address: "169.254.12.9/16", reason: "link_local" },
  ],
  nodes: [
    { node: "camp-1", self: true, people: 4 },
    { node: "camp-2", self: false, people: 1 },
  ],
  warnings: [
    { code: "ports_tight", params: { address: "10.77.2.2", free: 12, used: 88 } },
    { code: "clock_suspect", params: { reason: "clients_differ", seconds: 95 } },
  ],
};

export const users = {
  users: [
    { id: "ada", name: "Ada Lovelace", admin: true, guest: false, disabled: false, created_at: now - 9e8 },
    { id: "ben", name: "Ben Okri", admin: false, guest: false, disabled: false, created_at: now - 8e8 },
    { id: "chen", name: "陈晓明", admin: false, guest: false, disabled: false, created_at: now - 8e8 },
    { id: "eva", name: "Eva", admin: false, guest: false, disabled: false, created_at: now - 7e8 },
    { id: "guest-7f3a", name: "Dina", admin: false, guest: true, disabled: false, created_at: now - 5e5 },
    { id: "farid", name: "Farid", admin: true, guest: false, disabled: false, created_at: now - 8e8 },
    { id: "gus", name: "Gus", admin: false, guest: false, disabled: true, created_at: now - 8e8 },
  ],
};
