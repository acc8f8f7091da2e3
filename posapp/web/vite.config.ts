import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";

const server = process.env.POS_URL ?? "http://127.0.0.1:8080";

interface Operation {
  operationId: string;
  "x-roles"?: string[];
}

/** `virtual:roles`: who may do what, by operation, out of the API's own document; null for anybody. */
function roles(): Plugin {
  const resolved = "\0virtual:roles";
  return {
    name: "roles",
    resolveId: (source) => (source === "virtual:roles" ? resolved : null),
    load(id) {
      if (id !== resolved) return null;
      const { paths } = JSON.parse(
        readFileSync(new URL("openapi.json", import.meta.url), "utf8"),
      ) as { paths: Record<string, Record<string, Operation>> };
      const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
      const found = operations.map((each) => [each.operationId, each["x-roles"] ?? null] as const);
      return `export default ${JSON.stringify(Object.fromEntries(found))}`;
    },
  };
}

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as {
  version: string;
};

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(version) },
  plugins: [
    react(),
    roles(),
    VitePWA({
      // A new version waits until someone says "reload": never in the middle of a sale.
      registerType: "prompt",
      // The server's, which knows the name of the house.
      manifest: false,
      workbox: {
        globPatterns: ["**/*.{js,css,html,woff2,svg,png}"],
        navigateFallbackAllowlist: [/^\/$/, /^\/login$/, /^\/orders?(\/|$)/, /^\/app\//],
      },
    }),
  ],
  resolve: {
    tsconfigPaths: true,
    // Its main entry is written for browsers that have no `class`.
    alias: { dexie: "dexie/dist/modern/dexie.mjs" },
  },
  build: {
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What the first picture needs. Libraries change seldom: a new version of the screens
            // leaves them in the browser's cache.
            { name: "libraries", test: /node_modules/, tags: ["$initial"] },
            { name: "screen", tags: ["$initial"] },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": server, "/health": server } },
  test: { environment: "node", include: ["{src/**/,}*.test.ts"], testTimeout: 60_000 },
});
