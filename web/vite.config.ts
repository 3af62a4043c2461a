import { defineConfig } from "vite";

// FIELDPHONE points at a running server while the page is being worked on.
const server = process.env.FIELDPHONE ?? "https://localhost:8443";

export default defineConfig({
  base: "/",
  build: {
    // Old phones must work: these have WebRTC 1.0 with transceivers.
    target: ["es2019", "chrome80", "safari14", "firefox78"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: {
    proxy: { "/api": { target: server, secure: false, ws: true } },
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
