import type { Socket } from "./protocol/connection";

const path = "/api/v1/events";
const postTimeoutMs = 10_000;
const notReadyPauseMs = 100;
/** Characters of envelopes in one POST; the server takes 64 KiB. */
const postSize = 20_000;

/** Opens a connection of events down and POSTs up that behaves like a WebSocket. */
export function openEvents(opened: () => void): Socket {
  const source = new EventSource(path);
  const waiting: string[] = [];
  let stream: string | undefined;
  let posting = false;
  let closed = false;

  const close = (code: number) => {
    if (closed) return;
    closed = true;
    source.close(); // it would open a new stream by itself
    socket.onClose?.(code);
  };
  const socket: Socket = {
    onOpen: undefined,
    onFrame: undefined,
    onClose: undefined,
    send: (frame) => {
      waiting.push(frame);
      void post();
    },
    close: () => {
      socket.onClose = undefined;
      close(1000);
    },
  };

  async function post(): Promise<void> {
    if (posting || closed || stream === undefined || waiting.length === 0) return;
    posting = true;
    const body = batch(waiting);
    const status = await send(`${path}/${encodeURIComponent(stream)}`, body.join("\n"));
    posting = false;
    if (status === 204) {
      waiting.splice(0, body.length);
      void post();
    } else if (status === 409) {
      setTimeout(() => void post(), notReadyPauseMs);
    } else {
      close(1006);
    }
  }

  source.addEventListener("stream", (event: MessageEvent<string>) => {
    stream = (JSON.parse(event.data) as { stream: string }).stream;
    opened();
    socket.onOpen?.();
  });
  source.addEventListener("end", (event: MessageEvent<string>) => {
    close((JSON.parse(event.data) as { code: number }).code);
  });
  source.onmessage = (event: MessageEvent<string>) => socket.onFrame?.(event.data);
  source.onerror = () => close(1006);
  return socket;
}

function batch(waiting: string[]): string[] {
  let size = 0;
  const fits = waiting.findIndex((frame, i) => (size += frame.length) > postSize && i > 0);
  return fits < 0 ? waiting.slice() : waiting.slice(0, fits);
}

/** The status of a POST, 0 when there was no answer. */
async function send(url: string, body: string): Promise<number> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), postTimeoutMs);
  try {
    const response = await fetch(url, { method: "POST", body, signal: abort.signal });
    return response.status;
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
  }
}
