// Somebody in front of the camera, for pictures that people look at: drawn, moving a little,
// written as the motion JPEG that Chromium's fake camera plays.
import { writeFileSync } from 'node:fs';

const width = 640;
const height = 480;
const frames = 20;

/** One frame; turn goes from 0 to 1 and round again. */
function draw({ wall, lamp, skin, hair, shirt, long }, turn) {
  const sway = 8 * Math.sin(2 * Math.PI * turn);
  const mouth = 10 + 7 * Math.abs(Math.sin(6 * Math.PI * turn));
  return `
    <svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 640 480">
      <defs><linearGradient id="wall" x1="0" y1="0" x2="1" y2="1">
        <stop offset="0" stop-color="${wall}"/><stop offset="1" stop-color="${lamp}"/></linearGradient></defs>
      <rect width="640" height="480" fill="url(#wall)"/>
      <g opacity=".35"><rect x="40" y="60" width="130" height="170" rx="6" fill="#fff"/>
      <rect x="490" y="250" width="120" height="12" fill="#fff"/><rect x="505" y="200" width="18" height="50" fill="#fff"/>
      <rect x="530" y="185" width="22" height="65" fill="#fff"/><rect x="560" y="205" width="16" height="45" fill="#fff"/></g>
      <g transform="translate(${sway} 0)">
        ${long ? `<path d="M205 220 q0 -135 115 -135 q115 0 115 135 v150 h-230 z" fill="${hair}"/>` : ''}
        <path d="M140 480 q10 -120 130 -130 h100 q120 10 130 130 z" fill="${shirt}"/>
        <rect x="285" y="300" width="70" height="75" rx="30" fill="${skin}" style="filter:brightness(.9)"/>
        <ellipse cx="320" cy="225" rx="88" ry="108" fill="${skin}"/>
        <path d="M228 215 q-6 -120 92 -120 q98 0 92 120 q-22 -62 -92 -62 q-70 0 -92 62 z" fill="${hair}"/>
        <ellipse cx="287" cy="222" rx="8" ry="10" fill="#222"/><ellipse cx="353" cy="222" rx="8" ry="10" fill="#222"/>
        <path d="M270 198 q17 -12 34 0 M336 198 q17 -12 34 0" stroke="${hair}" stroke-width="7" fill="none" stroke-linecap="round"/>
        <path d="M286 272 q34 ${mouth + 16} 68 0 q-34 ${mouth} -68 0 z" fill="#a33"/>
      </g>
    </svg>`;
}

/** Draws with a browser's page, and writes the film to a file whose name ends in .mjpeg. */
export async function film(page, look, file) {
  await page.setViewportSize({ width, height });
  const parts = [];
  for (let i = 0; i < frames; i++) {
    await page.setContent(`<body style="margin:0">${draw(look, i / frames)}</body>`);
    parts.push(await page.screenshot({ type: 'jpeg', quality: 85 }));
  }
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

export const ada = { wall: '#7d96a8', lamp: '#cfd8d3', skin: '#e8b998', hair: '#4b2e20', shirt: '#2f6f62', long: true };
export const ben = { wall: '#b59a74', lamp: '#e6d5b8', skin: '#8d5a3b', hair: '#1d1613', shirt: '#34507a', long: false };
