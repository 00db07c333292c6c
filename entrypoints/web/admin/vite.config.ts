import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compression } from "vite-plugin-compression2";

/** `npx vite` serves the pages while they are written, on the API of a running `make run`. */
const api = {
  target: process.env.KOTODOM_URL ?? "http://127.0.0.1:8000",
  // The API compares the page's Origin with the host that was asked.
  changeOrigin: false,
};

/**
 * What the first page needs, with all that it is made of, is one file: a browser asks for six at a
 * time, and what is together is compressed better.
 */
const START = /src[\\/](main\.tsx|routes[\\/](_app|_app[\\/]index|sign-in)\.tsx)/;

export default defineConfig({
  base: "/admin/",
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true }),
    react(),
    compression({ algorithms: ["gzip", "brotliCompress"], threshold: 1024 }),
  ],
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    manifest: true,
    // In kB, of "start" before it is compressed; sizes.mjs holds what is sent.
    chunkSizeWarningLimit: 800,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "start", test: START }] } } },
  },
  server: { proxy: { "/api": api, "/health": api, "/sandbox": api } },
});
