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

export default defineConfig({
  base: "/admin/",
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true }),
    react(),
    compression({ algorithms: ["gzip", "brotliCompress"], threshold: 1024 }),
  ],
  build: { target: "es2023", modulePreload: { polyfill: false }, manifest: true },
  server: { proxy: { "/api": api, "/health": api, "/sandbox": api } },
});
