// The last minutes of a few numbers, for the small graphs; kept by this page alone.
import { signal } from "@preact/signals";
import type { Live } from "./live";

export interface Moment {
  people: number;
  devices: number;
  calls: number;
  allocations: number;
  /** Ports used, of the address that uses most. */
  ports: number;
  /** kbit/s through the relay. */
  relayed: number;
}

/** Two minutes, at one answer every two seconds. */
const kept = 60;

export const momentOf = (live: Live): Moment => {
  const online = live.people.filter((person) => person.status !== "offline");
  return {
    people: online.length,
    devices: online.reduce((sum, person) => sum + person.devices.length, 0),
    calls: live.calls.length,
    allocations: live.allocations.length,
    ports: live.ports.reduce((most, port) => Math.max(most, port.used), 0),
    relayed: live.allocations.reduce((sum, each) => sum + each.up + each.down, 0),
  };
};

export class History {
  readonly moments = signal<readonly Moment[]>([]);

  add(live: Live): void {
    this.moments.value = [...this.moments.value, momentOf(live)].slice(-kept);
  }
}
