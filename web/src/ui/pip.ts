// The other's picture in a small window that stays above everything else.

/** Whether this browser has such windows. */
export const canPip = (): boolean =>
  document.pictureInPictureEnabled === true &&
  typeof HTMLVideoElement.prototype.requestPictureInPicture === "function";

/** Opens it, or closes it; a picture that has not come yet, or a refusal, changes nothing. */
export async function togglePip(video: HTMLVideoElement | null): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await video?.requestPictureInPicture();
  } catch {
    // The browser says why where it can be seen.
  }
}
