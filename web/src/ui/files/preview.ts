import { isPicture } from "./words";

/** A picture made small on this device; what is sent is the original. */
export interface Preview {
  url: string;
  /** Of the original. */
  width: number;
  height: number;
}

const side = 160;
const mostBytes = 40 << 20;
const mostSide = 32_768;

/** Undefined for what is no picture, or cannot be read as one. */
export async function previewOf(file: File): Promise<Preview | undefined> {
  if (!isPicture(file) || file.size > mostBytes) return undefined;
  const original = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = original;
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width === 0 || height === 0 || Math.max(width, height) > mostSide) return undefined;
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    return small ? { url: URL.createObjectURL(small), width, height } : undefined;
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(original);
  }
}
