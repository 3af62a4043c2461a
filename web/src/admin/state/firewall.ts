// The firewall rules for what is configured, in the language of the firewall at hand.
import { signal } from "@preact/signals";
import type { ApiError, Api } from "../../protocol/api";
import type { Keep } from "../../call/types";
import { asApiError } from "./editor";
import { Loose } from "./loose";
import { readRule, type Rule } from "./path";

export interface Opening {
  segment: string;
  from: string;
  to: string;
  proto: string;
  ports: string;
  why: string;
}

export interface Rules {
  openings: Opening[];
  flavours: Rule[];
}

/** Where the firewall is: in between, or on the server's own machine. */
export type At = "router" | "server";

const key = "firewall";

export class Firewall {
  readonly rules = signal<Rules | undefined>(undefined);
  readonly problem = signal<ApiError | undefined>(undefined);
  /** The firewall that this administrator writes for. */
  readonly flavour = signal("nftables");
  /** Empty: all segments. */
  readonly segment = signal("");
  readonly at = signal<At>("router");
  private readonly api: Pick<Api, "call">;
  private readonly kept: Keep;

  constructor(api: Pick<Api, "call">, kept: Keep) {
    this.api = api;
    this.kept = kept;
    this.flavour.value = kept.get(key) ?? "nftables";
  }

  choose(flavour: string): void {
    this.flavour.value = flavour;
    this.kept.set(key, flavour);
  }

  /** The rule for the chosen firewall, at a place if one is asked for, or the first there is. */
  chosen(rules: readonly Rule[], at = ""): Rule | undefined {
    const there = rules.filter((rule) => at === "" || rule.at === "" || rule.at === at);
    return there.find((rule) => rule.flavour === this.flavour.value) ?? there[0];
  }

  /** Fetches the rules for another place. */
  show(at: At, segment: string): void {
    this.at.value = at;
    this.segment.value = segment;
    void this.load();
  }

  async load(): Promise<void> {
    const [at, segment] = [this.at.value, this.segment.value];
    try {
      const of = segment === "" ? "" : `&segment=${encodeURIComponent(segment)}`;
      const f = new Loose(await this.api.call("GET", `admin/firewall?at=${at}${of}`));
      if (segment !== this.segment.value || at !== this.at.value) return;
      this.rules.value = {
        openings: f.list("openings", (o) => ({
          segment: o.text("segment"),
          from: o.texts("from").join(", ") || o.text("from"),
          to: o.texts("to").join(", ") || o.text("to"),
          proto: o.text("proto"),
          ports: o.texts("ports").join(", ") || o.text("ports"),
          why: o.text("why"),
        })),
        flavours: f.list("flavours", readRule),
      };
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asApiError(error);
    }
  }

  /** Settings changed, so the rules may have. */
  forget(): void {
    if (this.rules.value) void this.load();
  }
}
