// Looks at a picture just closely enough to tell a covered camera.

const width = 32;
const height = 24;
const waitMs = 2_000;

/** The brightest spot of a stream's next frame, 0 to 255; undefined where none can be looked at. */
export async function brightestOf(stream: MediaStream | undefined): Promise<number | undefined> {
  if (!stream) return undefined;
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  try {
    await Promise.race([video.play(), new Promise((resolve) => setTimeout(resolve, waitMs))]);
    return video.videoWidth > 0 ? brightestIn(video) : undefined;
  } finally {
    video.srcObject = null;
  }
}

function brightestIn(video: HTMLVideoElement): number | undefined {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (!pen) return undefined;
  pen.drawImage(video, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  let brightest = 0;
  for (let i = 0; i < data.length; i += 4) {
    const luma = 0.2126 * data[i]! + 0.7152 * data[i + 1]! + 0.0722 * data[i + 2]!;
    brightest = Math.max(brightest, luma);
  }
  return Math.round(brightest);
}
