// What the server hears of how a call fares.
import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "./fakes";
import { Phone } from "./phone";

let phone: Phone;

beforeEach(() => {
  phone = new Phone();
});

const relay = {
  candidateType: "relay",
  relayProtocol: "tls",
  protocol: "udp",
  address: "10.77.1.2",
  port: 49_170,
};
const host = { candidateType: "host", protocol: "udp", address: "10.77.1.5", port: 5_000 };

interface Heard {
  sent?: number;
  received?: number;
  packets?: number;
  lost?: number;
  local?: object;
  remote?: object;
}

/** What getStats tells from now on; connectivity checks go on being answered. */
function hears(heard: Heard): void {
  let checks = 0;
  Object.defineProperty(phone.pc, "stats", { configurable: true, get: () => stats(heard, (checks += 1)) });
}

function stats(
  { sent = 0, received = 0, packets = 0, lost = 0, local = host, remote = host }: Heard,
  responsesReceived: number,
): object[] {
  return [
    { id: "T", type: "transport", selectedCandidatePairId: "P" },
    {
      id: "P",
      type: "candidate-pair",
      localCandidateId: "L",
      remoteCandidateId: "R",
      bytesSent: sent,
      bytesReceived: received,
      responsesReceived,
      currentRoundTripTime: 0.01234,
    },
    { id: "L", type: "local-candidate", ...local },
    { id: "R", type: "remote-candidate", ...remote },
    { id: "A", type: "inbound-rtp", packetsReceived: packets, packetsLost: lost },
    { id: "V", type: "inbound-rtp", packetsReceived: packets, packetsLost: lost },
  ];
}

/** A call that connects 700 ms after it started, with these stats. */
async function talk(heard: Heard): Promise<void> {
  phone.say("call.incoming", {
    call: "c-incoming1",
    from: { id: "bob", name: "Bob" },
    media: "video",
    server_time: 1,
  });
  await phone.calls.accept(phone.calls.incoming.value[0]!, "video");
  phone.started("c-incoming1", "answerer");
  await settle();
  phone.signal({ description: { type: "offer", sdp: "their offer" }, offer: 1 });
  await phone.time.pass(700);
  hears(heard);
  phone.pc.become("connected");
  await settle();
}

describe("reports", () => {
  test("the first comes with the connection and tells the path and the set-up", async () => {
    await talk({ local: relay, remote: { ...relay, address: "fd00::2", port: 49_171 } });
    expect(phone.reports).toEqual([
      {
        call: "c-incoming1",
        gen: 1,
        path: {
          local: "relay",
          remote: "relay",
          protocol: "udp",
          relay_protocol: "tls",
          relay: "10.77.1.2:49170",
          remote_relay: "[fd00::2]:49171",
        },
        setup_ms: 700,
        rtt_ms: 12.3,
        loss: 0,
        up_kbps: 0,
        down_kbps: 0,
      },
    ]);
  });

  test("the next ones come every 5 s and tell what went on since", async () => {
    await talk({ sent: 1_000, received: 2_000, packets: 10, lost: 1 });
    hears({ sent: 626_000, received: 314_500, packets: 105, lost: 6 });
    await phone.time.pass(5_000);
    expect(phone.reports).toHaveLength(2);
    expect(phone.reports[1]).toEqual({
      call: "c-incoming1",
      gen: 1,
      path: { local: "host", remote: "host", protocol: "udp" },
      rtt_ms: 12.3,
      loss: 0.05,
      up_kbps: 1_000,
      down_kbps: 500,
    });
  });

  test("another pair's counters and duplicated packets make no negative figures", async () => {
    await talk({ sent: 9_000, received: 9_000, packets: 90, lost: 9 });
    hears({ sent: 10, received: 10, packets: 91, lost: 2 });
    await phone.time.pass(5_000);
    expect(phone.reports[1]).toMatchObject({ loss: 0, up_kbps: 0, down_kbps: 0 });
  });

  test("addresses that are names, and pairs of an unknown kind, are not told", async () => {
    await talk({ local: { ...relay, address: "secret.local" } });
    expect(phone.reports[0]!.path).toEqual({
      local: "relay",
      remote: "host",
      protocol: "udp",
      relay_protocol: "tls",
    });
    hears({ local: { candidateType: "carrier-pigeon" } });
    await phone.time.pass(5_000);
    expect(phone.reports).toHaveLength(1);
  });

  test("a relay that was taken for a peer's own address is told as what it is", async () => {
    await talk({ local: host, remote: { ...relay, candidateType: "prflx", relayProtocol: undefined } });
    expect(phone.reports[0]!.path).toEqual({ local: "host", remote: "prflx", protocol: "udp" });
    expect(phone.call?.path).toMatchObject({ relay: false });
    phone.signal({ nominated: "relay" });
    await phone.time.pass(5_000);
    expect(phone.reports[1]!.path).toEqual({
      local: "host",
      remote: "relay",
      protocol: "udp",
      remote_relay: "10.77.1.2:49170",
    });
    expect(phone.call?.path).toMatchObject({ relay: true, remote: "relay" });
    expect(phone.calls.session.instruments.quality.details.value).toMatchObject({ remote: "relay" });
    phone.signal({ nominated: "srflx" });
    await phone.time.pass(1_000);
    expect(phone.call?.path).toMatchObject({ relay: false, remote: "prflx" });
  });

  test("the other end is told of the own kind of candidate, once for each, until the server has it", async () => {
    const told = () =>
      phone.of("call.signal").flatMap(({ payload }) => (payload as { nominated?: string }).nominated ?? []);
    await talk({ local: host });
    await phone.time.pass(2_000);
    expect(told()).toEqual(["host"]);
    phone.refuse["call.signal"] = "no_answer";
    hears({ local: relay });
    await phone.time.pass(500);
    phone.refuse = {};
    await phone.time.pass(2_000);
    expect(told()).toEqual(["host", "relay", "relay"]);
    phone.welcome([phone.info({ call: "c-incoming1", role: "answerer", state: "restoring" })]);
    await phone.time.pass(1_000);
    expect(told().slice(-1)).toEqual(["relay"]);
    expect(told()).toHaveLength(4);
  });

  test("there are none while the path is lost, and they go on afterwards", async () => {
    await talk({ received: 1 });
    phone.pc.become("disconnected");
    await phone.time.pass(10_000);
    expect(phone.reports).toHaveLength(1);
    hears({ received: 2 });
    phone.pc.become("connected");
    await phone.time.pass(5_000);
    expect(phone.reports).toHaveLength(2);
  });

  test("they end with the call, and nothing waits", async () => {
    await talk({});
    const { pc } = phone;
    phone.calls.hangUp();
    let asked = 0;
    pc.getStats = () => {
      asked += 1;
      return Promise.resolve(new Map<string, object>());
    };
    await phone.time.pass(60_000);
    expect(phone.reports).toHaveLength(1);
    expect(asked).toBe(0);
    expect(phone.time.pending).toBe(0);
  });

  test("a new generation reports its own set-up", async () => {
    await talk({});
    phone.started("c-incoming1", "answerer", 2);
    await settle();
    phone.signal({ description: { type: "offer", sdp: "their offer" }, offer: 1 }, 2);
    await phone.time.pass(300);
    hears({});
    phone.pc.become("connected");
    await settle();
    expect(phone.reports.map(({ gen, setup_ms }) => [gen, setup_ms])).toEqual([
      [1, 700],
      [2, 300],
    ]);
    await phone.time.pass(5_000);
    expect(phone.reports).toHaveLength(3);
  });

  test("there are none without a call", async () => {
    await phone.calls.invite({ id: "bob", name: "Bob" }, "audio");
    await phone.time.pass(30_000);
    expect(phone.reports).toEqual([]);
  });
});
