// Makes the network of plan.mjs out of namespaces, and takes it down again.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as netns from './netns.mjs';
import { hosts, hotspots, httpsPort, inside, places, roamedAddress, segments, served, serverAddresses, serverDefault } from './plan.mjs';

const prefix = 'fplab';
const base = tmpdir();

/** Quiet, strict-enough kernels: a bridge is a wire, not a firewall. */
const sysctls = [
  'net.bridge.bridge-nf-call-iptables=0',
  'net.bridge.bridge-nf-call-ip6tables=0',
  'net.bridge.bridge-nf-call-arptables=0',
  'net.ipv4.conf.all.rp_filter=2',
  'net.ipv4.conf.default.rp_filter=2',
];

const lockedRules = Object.values(segments).filter((s) => s.locked).map(({ subnet }) => `
    ip saddr ${subnet} ip daddr @servers tcp dport ${httpsPort} accept
    ip daddr ${subnet} ip saddr @servers tcp sport ${httpsPort} accept
    ip saddr ${subnet} drop
    ip daddr ${subnet} drop`).join('');

/**
 * The router's firewall, with the names that most have. The chain `direct` is empty while
 * segments may talk to each other, `shut` while nobody has closed anything. Connections are
 * not tracked, so that a switch counts for the very next packet.
 */
const routerRules = `
table inet filter {
  set servers { type ipv4_addr; elements = { ${serverAddresses.join(', ')} }; }
  chain direct { }
  chain shut { }
  chain locked { ${lockedRules}
  }
  chain forward { type filter hook forward priority 0; policy accept; jump locked; jump shut; jump direct; }
}
`;

/**
 * A hotspot's firewall. Strangers' packets to the outer side are dropped on input: without
 * that each leaves a connection-tracking entry that takes away the port which a phone
 * inside is about to punch through.
 */
const hotspotRules = ({ masquerade }) => `
table inet filter {
  set servers { type ipv4_addr; elements = { ${serverAddresses.join(', ')} }; }
  chain direct { }
  chain input { type filter hook input priority 0; policy accept; iifname "wan" ct state new drop; }
  chain forward {
    type filter hook forward priority 0; policy accept
    iifname "wan" ct state new drop
    iifname "lan" oifname "lan" drop
    jump direct
  }
}
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" masquerade ${masquerade}; }
}
`;

/** How long a slow link's queue may be. */
const queueMs = 200;

export class Topology {
  #roamed = new Map(); // phones that are not at their own hotspot -> the one they are at, and their address
  #visits = 0;
  #weak = new Set();

  /** A name that no other running lab has: the process that holds it is in it. */
  constructor(owner = process.pid) {
    this.id = `${prefix}${owner}`;
    this.dir = undefined;
  }

  ns(place) {
    if (!places.includes(place)) throw new Error(`no place ${place}; there are ${places.join(' ')}`);
    return `${this.id}-${place}`;
  }

  create() {
    this.dir = mkdtempSync(join(base, `${this.id}-`));
    for (const place of places) {
      netns.add(this.ns(place));
      netns.ipBatch(this.ns(place), ['link set lo up']);
      netns.run(this.ns(place), ['sysctl', '-qe', '-w', ...sysctls]);
    }
    this.#makeRouter();
    for (const [name, hotspot] of Object.entries(hotspots)) this.#makeHotspot(name, hotspot);
    for (const segment of served) {
      const { server, gateway } = segments[segment];
      const isDefault = segment === serverDefault;
      this.#plug('srv', `lan${segment}`, segment, server, isDefault ? gateway : undefined);
    }
    for (const [host, { on, address }] of Object.entries(hosts)) {
      const gateway = segments[on]?.gateway ?? inside.gateway;
      this.#plug(host, 'eth0', on, address, gateway);
    }
  }

  #makeRouter() {
    for (const [segment, { gateway }] of Object.entries(segments)) this.#bridge('r', `seg${segment}`, gateway);
    this.#forward('r', routerRules);
  }

  #makeHotspot(name, hotspot) {
    this.#plug(name, 'wan', hotspot.on, hotspot.address, segments[hotspot.on].gateway);
    this.#bridge(name, 'lan', inside.gateway);
    this.#forward(name, hotspotRules(hotspot));
  }

  #bridge(place, name, address) {
    netns.ipBatch(this.ns(place), [
      `link add ${name} type bridge`,
      `address add ${address}/24 dev ${name}`,
      `link set ${name} up`,
    ]);
  }

  #forward(place, rules) {
    netns.run(this.ns(place), ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
    netns.run(this.ns(place), ['nft', '-f', '-'], rules);
  }

  /**
   * Lays a cable from a place to a segment or hotspot; its address and route come last, once
   * the cable carries. Neither end is ever outside.
   */
  #plug(place, device, on, address, gateway) {
    const far = on in segments ? 'r' : on;
    const port = `p-${place}-${on}`;
    netns.ipBatch(this.ns(place), [`link add ${device} type veth peer name ${port} netns ${this.ns(far)}`]);
    netns.ipBatch(this.ns(far), [
      `link set ${port} master ${on in segments ? `seg${on}` : 'lan'}`,
      `link set ${port} up`,
    ]);
    // As on a wire: veth would leave checksums to hardware that there is none of, and the
    // server's kernel path hands up what has none.
    netns.run(this.ns(place), ['ethtool', '-K', device, 'tx', 'off']);
    if (hotspots[on]?.isolated) netns.run(this.ns(far), ['bridge', 'link', 'set', 'dev', port, 'isolated', 'on']);
    netns.ipBatch(this.ns(place), [
      `link set ${device} up`,
      `address add ${address}/24 dev ${device}`,
      ...(gateway ? [`route add default via ${gateway}`] : []),
    ]);
  }

  /**
   * Lets a router or hotspot pass everything (true), or only what goes to and comes from the
   * server (false).
   */
  direct(allowed, place = 'r') {
    const rules = ['flush chain inet filter direct'];
    if (!allowed) rules.push('add rule inet filter direct ip saddr != @servers ip daddr != @servers counter drop');
    netns.run(this.ns(place), ['nft', '-f', '-'], rules.join('\n'));
  }

  /** What a host's cable is called: the device at its own end, where it leads, and the port at that end. */
  #cable(place) {
    const { on, address } = this.#roamed.get(place) ?? hosts[place];
    return { on, address, device: 'eth0', port: `p-${place}-${on}`, far: on in segments ? 'r' : on };
  }

  /** A phone goes out of its hotspot's reach: the link goes down, and away with its address and routes. */
  unplug(place) {
    if (!(hosts[place].on in hotspots)) throw new Error(`${place} is no phone at a hotspot`);
    const { device } = this.#cable(place);
    netns.ipBatch(this.ns(place), [`link set ${device} down`, `link delete ${device}`]);
  }

  /**
   * A phone that is out of reach comes into a hotspot's, and has a network again: an address
   * that it never had before, unless it comes home for good.
   */
  arrive(place, on, home = false) {
    if (home) this.#roamed.delete(place);
    else this.#roamed.set(place, { on, address: roamedAddress(this.#visits++) });
    const cable = this.#cable(place);
    this.#plug(place, cable.device, cable.on, cable.address, inside.gateway);
  }

  /** The hotspot that a phone can walk to from where it is. */
  otherHotspot(place) {
    return Object.keys(hotspots).find((name) => name !== this.#cable(place).on);
  }

  /**
   * Makes a host's link lose every so-manieth packet (percent) by chance and pass so much
   * (kbit/s, with a short queue), each way. Packets are lost where they arrive: no program
   * hears of it. (A kernel's netem could do both; not every kernel has it.)
   */
  weaken(place, { loss, kbps }) {
    const { device, port, far } = this.#cable(place);
    for (const [at, name] of [[place, device], [far, port]]) {
      netns.run(this.ns(at), ['tc', 'qdisc', 'replace', 'dev', name, 'root', 'tbf', 'rate', `${kbps}kbit`, 'burst', '4kb', 'latency', `${queueMs}ms`]);
      netns.run(this.ns(at), ['nft', '-f', '-'], `
        table netdev weak-${place} {
          chain arriving { type filter hook ingress device "${name}" priority 0; numgen random mod 1000 < ${loss * 10} counter drop; }
        }`);
    }
    this.#weak.add(place);
  }

  /** Makes a weak link good again. */
  strengthen(place) {
    if (!this.#weak.delete(place)) return;
    const { device, port, far } = this.#cable(place);
    for (const [at, name] of [[place, device], [far, port]]) {
      netns.run(this.ns(at), ['nft', 'delete', 'table', 'netdev', `weak-${place}`]);
      netns.run(this.ns(at), ['tc', 'qdisc', 'delete', 'dev', name, 'root']);
    }
  }

  /** Closes the router to packets that match any of nftables' expressions. */
  shut(matches) {
    const rules = matches.map((match) => `add rule inet filter shut ${match} counter drop`);
    netns.run(this.ns('r'), ['nft', '-f', '-'], ['flush chain inet filter shut', ...rules].join('\n'));
  }

  /** Gives the router the rules that it had at first. */
  reset() {
    netns.run(this.ns('r'), ['nft', '-f', '-'], `delete table inet filter\n${routerRules}`);
  }

  destroy() {
    const mine = `${this.id}-`;
    netns.remove(netns.list().filter((name) => name.startsWith(mine)));
    for (const name of readdirSync(base).filter((entry) => entry.startsWith(mine))) {
      rmSync(join(base, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
  }
}

/** The process ids of labs that left something behind or are still standing. */
export function owners() {
  const pattern = new RegExp(`^${prefix}(\\d+)-`);
  const names = [...netns.list(), ...readdirSync(base)];
  return [...new Set(names.map((name) => pattern.exec(name)?.[1]).filter(Boolean))].map(Number);
}

/** Whether the lab of this process still stands; the number alone may be somebody else's by now. */
export function isRunning(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('run.mjs');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return false;
    throw error;
  }
}
