/** What recordings are made of, best first; the last is Safari's. */
export const recordTypes = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];

export const canRecord = (): boolean =>
  typeof MediaRecorder === "function" &&
  typeof AudioContext === "function" &&
  typeof HTMLCanvasElement.prototype.captureStream === "function" &&
  recordTypes.some((type) => MediaRecorder.isTypeSupported(type));
