// Something like a voice that never pauses for long, for a fake microphone: what of it is
// lost can be counted, which a beep now and then does not allow.
import { writeFileSync } from 'node:fs';

const rate = 48_000;
const seconds = 8;
const header = 44;

/** Writes a WAV of 16-bit mono; a browser plays it over and over. */
export function writeSpeech(file) {
  const samples = rate * seconds;
  const wav = Buffer.alloc(header + 2 * samples);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16); // bytes of the format
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // channels
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(2 * rate, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * samples, 40);
  let phase = 0;
  for (let i = 0; i < samples; i += 1) {
    const t = i / rate;
    const pitch = 120 + 25 * Math.sin(2 * Math.PI * 0.4 * t) + 10 * Math.sin(2 * Math.PI * 1.7 * t);
    phase += (2 * Math.PI * pitch) / rate;
    const syllable = 0.35 + 0.65 * Math.abs(Math.sin(2 * Math.PI * 2.1 * t)); // four a second
    let voice = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic += 1) {
      const formant = 1 / (1 + ((harmonic * pitch - 600) / 250) ** 2) + 0.5 / (1 + ((harmonic * pitch - 1_700) / 300) ** 2);
      voice += formant * Math.sin(harmonic * phase);
    }
    wav.writeInt16LE(Math.round(9_000 * syllable * Math.tanh(voice)), header + 2 * i);
  }
  writeFileSync(file, wav);
  return file;
}
