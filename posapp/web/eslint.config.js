import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const browsersOwnDate = {
  selector:
    "JSXAttribute[name.name='type'] > Literal[value=/^(date|time|datetime-local|month|week)$/]",
  message: "The browser's field speaks the browser's language: use components/DayField.",
};

/** Refuse modules by what their names match, imported at once, later (`import()`) or for a type. */
const refuse = (...borders) => ({
  "no-restricted-imports": ["error", { patterns: borders }],
  "no-restricted-syntax": [
    "error",
    ...borders.map(({ regex, message }) => ({
      selector: `:matches(ImportExpression, TSImportType) Literal[value=${new RegExp(regex)}]`,
      message,
    })),
    {
      selector: "ImportExpression[source.type!='Literal']",
      message: "Name the module itself, or nobody can tell which border this crosses.",
    },
    browsersOwnDate,
  ],
});
const upwards = {
  regex: "(^|/)\\.\\.(/|$)",
  message: "Inside the folder use './…', outside it '@/…': so the borders can be read off.",
};
const features = {
  regex: "^@/features(/|$)",
  message: "Only src/app puts features together; a feature knows shared code and itself.",
};
const app = { regex: "^@/(app|main)(/|$)", message: "src/app is the outermost layer." };
const components = { regex: "^@/components(/|$)", message: "Shared logic shows nothing." };

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
  // By shape: the last that fits a file holds it, and a new folder under src is shared logic.
  { files: ["src/**"], rules: refuse(upwards, features, app, components) },
  { files: ["src/{features,components}/**"], rules: refuse(upwards, features, app) },
  { files: ["src/app/**", "src/main.tsx"], rules: refuse(upwards) },
);
