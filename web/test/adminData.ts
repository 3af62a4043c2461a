// A site as the dashboard meets it: two segments, a hotspot, a call through the relay.
const now = 1_795_426_200_000;

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

const legs = [
  { leg: "clock", state: "ok", ms: 3 },
  { leg: "tls", state: "ok", ms: 12 },
  { leg: "signalling", state: "ok", ms: 4 },
  { leg: "stun", state: "ok", ms: 3, target: "10.77.1.2:3478/udp" },
  { leg: "turn_udp", state: "ok", ms: 9, target: "10.77.1.2:3478/udp" },
  { leg: "turn_tcp", state: "ok", ms: 14, target: "10.77.1.2:3478/tcp" },
];

const blocked = legs.map((leg) =>
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

const values = {
  relay_ports: { min: 49160, max: 49259 },
  peers: { mode: "clients", allow: [] as string[], deny: ["10.77.9.0/24"] },
  limits: {
    allocations_per_session: 12,
    allocations: 0,
    kbps_per_allocation: 0,
    kbps: 200_000,
    allocates_per_second_per_source: 20,
    bindings_per_second_per_source: 100,
  },
  segments: [
    {
      name: "south",
      clients: ["10.77.2.0/24", "10.77.3.0/24"],
      server_addresses: ["10.77.2.2"],
      turn_addresses: ["10.77.2.2:3478"],
      transports: ["udp", "tcp"],
    },
  ],
  registration: { policy: "invite", guests: true, users_may_invite: true },
  log: { level: "info" },
};

export const settings = {
  revision: "r7",
  settings: values,
  fixed: ["limits.kbps"],
  defaults: {
    ...values,
    segments: [],
    peers: { mode: "clients", allow: [], deny: [] },
    relay_ports: { min: 49160, max: 49671 },
    limits: { ...values.limits, kbps: 0 },
  },
};

export const log = {
  more: true,
  entries: [
    {
      id: 41,
      at: now - 200_000,
      node: "camp-1",
      admin: { id: "farid", name: "Farid" },
      action: "settings.change",
      target: "",
      before: { relay_ports: { min: 49160, max: 49671 }, "limits.allocations_per_session": 10 },
      after: { relay_ports: { min: 49160, max: 49259 }, "limits.allocations_per_session": 12 },
      can_undo: true,
    },
    {
      id: 40,
      at: now - 900_000,
      node: "camp-1",
      admin: { id: "ada", name: "Ada Lovelace" },
      action: "allocation.end",
      target: "ben",
      can_undo: false,
    },
    {
      id: 39,
      at: now - 86_000_000,
      node: "camp-1",
      admin: { id: "ada", name: "Ada Lovelace" },
      action: "user.disable",
      target: "gus",
      before: { disabled: false },
      after: { disabled: true },
      can_undo: true,
    },
    {
      id: 38,
      at: now - 90_000_000,
      node: "camp-1",
      admin: { id: "ada", name: "Ada Lovelace" },
      action: "settings.change",
      target: "",
      before: { "peers.mode": "any" },
      after: { "peers.mode": "clients" },
      undone_by: 39,
      can_undo: false,
    },
    {
      id: 37,
      at: now - 99_000_000,
      node: "camp-1",
      admin: { id: "", name: "" },
      action: "settings.reload",
      target: "",
      can_undo: false,
    },
  ],
};

const rule = `# Let it through on the router (table "inet filter", chain "forward").
nft insert rule inet filter forward ip saddr 10.77.2.0/24 ip daddr 10.77.2.2 udp dport 3478 accept
nft insert rule inet filter forward ip saddr 10.77.2.0/24 ip daddr { 10.77.1.2, 10.77.2.2 } udp dport 49160-49259 accept
`;

const rules = [
  { flavour: "nftables", at: "router", label: "nftables", text: rule },
  {
    flavour: "ufw",
    at: "router",
    label: "ufw",
    text: "ufw route allow proto udp from 10.77.2.0/24 to 10.77.2.2 port 3478\n",
  },
  { flavour: "nftables", at: "server", label: "nftables", text: rule.replace(/forward/g, "input") },
  {
    flavour: "ufw",
    at: "server",
    label: "ufw",
    text: "ufw allow proto udp from 10.77.2.0/24 to any port 3478\n",
  },
];

export const firewall = {
  openings: [
    {
      segment: "north",
      from: ["10.77.1.0/24"],
      to: ["10.77.1.2"],
      proto: "tcp",
      ports: "8443",
      why: "https",
    },
    {
      segment: "north",
      from: ["10.77.1.0/24"],
      to: ["10.77.1.2"],
      proto: "udp",
      ports: "3478",
      why: "turn_udp",
    },
    {
      segment: "south",
      from: ["10.77.2.0/24", "10.77.3.0/24"],
      to: ["10.77.2.2"],
      proto: "udp",
      ports: "49160-49259",
      why: "relay",
    },
  ],
  flavours: rules.filter((each) => each.at === "router").map(({ at: _, ...each }) => each),
};

const finding = {
  level: "warning",
  leg: "turn_udp",
  code: "udp_blocked",
  because: "timeout",
  target: "10.77.2.2:3478/udp",
  segment: "south",
  params: { port: 3478 },
  openings: [],
  at: ["router", "server"],
  rules,
};

const cell = (from: string, to: string, transport: string, ms: number) => ({
  from,
  to,
  transport,
  state: "ok",
  ms,
  users: [["ada", "chen"]],
});

const failing = (from: string, to: string, transport: string) => ({
  from,
  to,
  transport,
  state: "failed",
  leg: "turn_udp",
  code: "timeout",
  users: [["ada", "ben"]],
  finding: { ...finding, level: "failure" },
});

export const pathTest = {
  id: "t1",
  kind: "pairs",
  started: now - 14_000,
  done: true,
  devices: [
    {
      user: { id: "ada", name: "Ada Lovelace" },
      device: "web-3f9a21c0",
      segment: "north",
      state: "done",
      legs,
      findings: [],
    },
    {
      user: { id: "ben", name: "Ben Okri" },
      device: "web-77aa01de",
      segment: "south",
      state: "done",
      legs: blocked,
      findings: [finding],
    },
    {
      user: { id: "eva", name: "Eva" },
      device: "web-0001ffee",
      segment: "",
      state: "gone",
      legs: [],
      findings: [],
    },
  ],
  grid: [
    cell("north", "north", "direct", 2),
    cell("north", "north", "relay_udp", 5),
    cell("north", "north", "relay_tcp", 9),
    {
      from: "north",
      to: "south",
      transport: "direct",
      state: "failed",
      leg: "pair_direct",
      code: "timeout",
      users: [["ada", "ben"]],
    },
    failing("north", "south", "relay_udp"),
    { ...cell("north", "south", "relay_tcp", 212), state: "slow" },
    cell("north", "south", "relay_https", 31),
  ],
};

export const running = {
  ...pathTest,
  done: false,
  grid: [],
  devices: pathTest.devices.map((device, i) =>
    i === 0 ? device : { ...device, state: "running", legs: [], findings: [] },
  ),
};

export const preview = {
  problems: [] as { key: string; code: string; message: string }[],
  effects: [
    { code: "ports_kept", params: { allocations: 24, calls: 12 } },
    { code: "ports_free", params: { free: 200, need: 24 } },
    { code: "firewall", params: { ports: "50000-50199" } },
  ],
};
