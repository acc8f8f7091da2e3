import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** The parts of Mantine that `sources` import; types have no looks. */
function importedParts(sources: string[]): string[] {
  const lists = sources.flatMap((source) => [
    ...source.matchAll(/import \{([^}]*)\} from "@mantine\/core"/g),
  ]);
  const names = lists.flatMap(([, list = ""]) => list.split(",").map((name) => name.trim()));
  return [...new Set(names)].filter((name) => name && !name.startsWith("type "));
}

const mantine = fileURLToPath(new URL("../../node_modules/@mantine/core/", import.meta.url));
const read = (file: string) => readFileSync(resolve(mantine, file), "utf8");

const filesOfParts = new Map(
  [...read("esm/index.mjs").matchAll(/import \{([^}]+)\} from "(.+?)"/g)].flatMap(
    ([, names = "", file = ""]) =>
      names.split(",").map((name) => [name.trim(), resolve(mantine, "esm", file)] as const),
  ),
);

function fileOf(part: string): string {
  const file = filesOfParts.get(part);
  if (!file) throw new Error(`@mantine/core exports no ${part}`);
  return file;
}

/** Everything that `file` imports from within the package, and what that imports. */
function withImports(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, other = ""] of read(file).matchAll(/from "(\..+?)"/g)) {
    withImports(resolve(file, "..", other), found);
  }
  return found;
}

const whole = read("styles.css");
const place = (style: string) => whole.indexOf(read(style));

/** The stylesheets for `parts` and for what they are made of, in the order of styles.css. */
function stylesFor(parts: string[]): string[] {
  const files = parts.flatMap((part) => [...withImports(fileOf(part))]);
  const modules = files.filter((file) => file.endsWith(".module.mjs"));
  const names = modules.map((file) => basename(file, ".module.mjs"));
  const styles = ["baseline", "default-css-variables", "global", ...new Set(names)];
  return styles.map((name) => `styles/${name}.css`).sort((one, other) => place(one) - place(other));
}

const sources = Object.values(
  import.meta.glob<string>(["/src/**/*.{ts,tsx}", "!/src/**/*.test.ts"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);

it("needs the styles of a part and of those it is made of, in Mantine's own order", () => {
  const screen = 'import { TextInput, type ButtonProps, Button } from "@mantine/core";';
  expect(stylesFor(importedParts([screen]))).toEqual([
    "styles/baseline.css",
    "styles/default-css-variables.css",
    "styles/global.css",
    "styles/UnstyledButton.css",
    "styles/Loader.css",
    "styles/CloseButton.css",
    "styles/Input.css",
    "styles/Button.css",
  ]);
});

it("loads the styles of every part that a screen uses, and no others", () => {
  const imports = sources.flatMap((source) => [...source.matchAll(/^import "@mantine\/core\/(.+)";$/gm)]);
  expect(imports.map(([, style]) => style)).toEqual(stylesFor(importedParts(sources)));
});
