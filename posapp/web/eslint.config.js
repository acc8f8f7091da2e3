import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Forbid imports by pattern, each with its reason. */
const forbid = (...patterns) => ({
  "no-restricted-imports": ["error", { patterns }],
});
const upwards = {
  group: ["../*"],
  message: "Inside the folder use './…', outside it '@/…': so the borders can be read off.",
};
const features = {
  group: ["@/features/*"],
  message: "Only src/app puts features together; a feature knows shared code and itself.",
};
const app = { group: ["@/app/*"], message: "src/app is the outermost layer." };

export default defineConfig(
  globalIgnores(["dist", "node_modules", "src/api/schema.d.ts"]),
  {
    files: ["**/*.{ts,tsx}"],
    extends: [
      js.configs.recommended,
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "max-lines": ["error", 220],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  { files: ["src/app/**"], rules: forbid(upwards) },
  { files: ["src/{features,components}/**"], rules: forbid(upwards, features, app) },
  {
    files: ["src/{api,lib,i18n}/**"],
    rules: forbid(upwards, features, app, {
      group: ["@/components/*"],
      message: "Shared logic shows nothing.",
    }),
  },
);
