import { ESLint } from "eslint";
import { expect, it } from "vitest";
import tseslint from "typescript-eslint";

/** Types play no part in the borders, and a file that is not on the disk has none. */
const eslint = new ESLint({
  cwd: import.meta.dirname,
  overrideConfig: [{ ...tseslint.configs.disableTypeChecked, files: ["**/*.{ts,tsx}"] }],
});
const BORDERS = ["no-restricted-imports", "no-restricted-syntax"];

/** What the borders say of `code`, if it stood in `file`. */
async function complaints(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  const messages = result?.messages ?? [];
  expect(messages.filter(({ fatal }) => fatal)).toEqual([]);
  return messages.filter(({ ruleId }) => BORDERS.includes(ruleId ?? "")).map(({ message }) => message);
}

const FORMS = [
  (module: string) => `import { thing } from "${module}"; thing();`,
  (module: string) => `import type { Thing } from "${module}"; export type Mine = Thing;`,
  (module: string) => `export { thing } from "${module}";`,
  (module: string) => `export const later = () => import("${module}");`,
  (module: string) => `export type Thing = import("${module}").Thing;`,
];

it.each([
  ["src/features/brand-new/Screen.tsx", "@/features/order/draft"],
  ["src/features/order/OrderPage.tsx", "@/features/brand-new/Screen"],
  ["src/features/order/OrderPage.tsx", "../payment/queries"],
  ["src/features/order/OrderPage.tsx", "./../payment/queries"],
  ["src/features/order/OrderPage.tsx", "@/lib/../features/payment/queries"],
  ["src/features/brand-new/Screen.tsx", "@/app/theme"],
  ["src/components/Part.tsx", "@/features/order/draft"],
  ["src/components/Part.tsx", "@/app/theme"],
  ["src/lib/rule.ts", "@/features/order/draft"],
  ["src/lib/rule.ts", "@/components/Sheet"],
  ["src/brand-new/rule.ts", "@/features/order/draft"],
  ["src/brand-new/rule.ts", "@/components/Sheet"],
  ["src/app/Frame.tsx", "../features/order/OrderPage"],
])("keeps %s from importing %s in any form", async (file, module) => {
  for (const form of FORMS) {
    const code = form(module);
    expect(await complaints(file, code), code).toHaveLength(1);
  }
});

it("keeps a feature from importing what only a running program can name", async () => {
  const code = "export const load = (name: string) => import(`@/features/${name}/Screen`);";
  expect(await complaints("src/features/brand-new/Screen.tsx", code)).toHaveLength(1);
});

it.each([
  ["src/features/brand-new/Screen.tsx", "./rules"],
  ["src/features/brand-new/Screen.tsx", "@/lib/money"],
  ["src/features/brand-new/Screen.tsx", "@/components/Sheet"],
  ["src/features/brand-new/Screen.tsx", "@/api/client"],
  ["src/components/Part.tsx", "@/lib/money"],
  ["src/app/router.tsx", "@/features/brand-new/Screen"],
  ["src/main.tsx", "./app/App"],
])("lets %s import %s in any form", async (file, module) => {
  for (const form of FORMS) {
    const code = form(module);
    expect(await complaints(file, code), code).toEqual([]);
  }
});
