// What the server answers beside what goes on: settings, the log, rules, a path test.
import { blocked, legs, now } from "./adminData";

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
  flavours: rules.filter((each) => each.at === "router"),
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
