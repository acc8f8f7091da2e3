import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";

const server = process.env.POS_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      // A new version waits until someone says "reload": never in the middle of a sale.
      registerType: "prompt",
      manifest: {
        name: "Steak Kenangan POS",
        short_name: "Kenangan",
        lang: "id",
        start_url: "/",
        display: "standalone",
        background_color: "#f7f3ed",
        theme_color: "#231813",
        icons: [
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png", purpose: "any maskable" },
        ],
      },
      workbox: {
        globPatterns: ["**/*.{js,css,html,woff2,svg,png}"],
        navigateFallbackAllowlist: [/^\/$/, /^\/login$/, /^\/orders?(\/|$)/, /^\/app\//],
      },
    }),
  ],
  resolve: { tsconfigPaths: true },
  build: {
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      // Libraries change seldom: a new version of the screens leaves them in the browser's cache.
      output: { codeSplitting: { groups: [{ name: "libraries", test: /node_modules/ }] } },
    },
  },
  server: { proxy: { "/api": server, "/health": server } },
  test: { environment: "node", include: ["{src/**/,}*.test.ts"], testTimeout: 60_000 },
});
