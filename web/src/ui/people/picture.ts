// Makes of a picture from the device the square that is sent to the server.

/** Pixels of a side; the server makes it smaller still. */
const side = 512;
const quality = 0.9;

/** Cuts the middle square out and scales it; throws where the browser cannot read the file. */
export async function squareOf(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const cut = Math.min(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.min(side, cut);
    const context = canvas.getContext("2d");
    if (!context || cut === 0) throw new Error("no picture");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    const { width } = canvas;
    context.drawImage(
      picture,
      (picture.width - cut) / 2,
      (picture.height - cut) / 2,
      cut,
      cut,
      0,
      0,
      width,
      width,
    );
    return await new Promise((resolve, reject) =>
      canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error("no picture"))),
        "image/jpeg",
        quality,
      ),
    );
  } finally {
    picture.close();
  }
}
