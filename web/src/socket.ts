import type { Socket } from "./protocol/connection";

/** Opens the browser's WebSocket. */
export function openSocket(url: string): Socket {
  const ws = new WebSocket(url);
  const socket: Socket = {
    onOpen: undefined,
    onFrame: undefined,
    onClose: undefined,
    send: (frame) => ws.send(frame),
    close: () => ws.close(),
  };
  ws.onopen = () => socket.onOpen?.();
  ws.onmessage = (event) => socket.onFrame?.(event.data);
  ws.onclose = (event) => socket.onClose?.(event.code);
  return socket;
}
