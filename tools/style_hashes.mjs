// The hashes of the styles that Mantine writes into the page, for a content security policy: they
// change with the theme. style_hashes.mjs posapp/web: one 'sha256-…' a line on standard output.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

process.chdir(process.argv[2]);
const require = createRequire(pathToFileURL(resolve("package.json")));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { createElement } = await load("react");
const { renderToStaticMarkup } = await load("react-dom/server");
const { MantineProvider } = await load("@mantine/core");
const { createServer } = await import(
  pathToFileURL(resolve("node_modules/vite/dist/node/index.js"))
);

const server = await createServer({
  configFile: false,
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  logLevel: "error",
});
try {
  const { theme } = await server.ssrLoadModule("/src/app/theme.ts");
  const page = renderToStaticMarkup(
    createElement(MantineProvider, { theme, defaultColorScheme: "auto" }),
  );
  const styles = [...page.matchAll(/<style data-mantine-styles="[a-z]+">([^<]*)<\/style>/g)];
  if (styles.length !== 2) throw new Error(`Mantine writes ${styles.length} styles, not two`);
  for (const [, style] of styles) {
    console.log(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  }
} finally {
  await server.close();
}
