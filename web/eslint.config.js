import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist/"] },
  js.configs.recommended,
  ts.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}", "test/**/*.ts"],
    extends: [ts.configs.recommendedTypeCheckedOnly],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "max-lines": ["error", 340],
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
    },
  },
  {
    files: ["public/sw.js"],
    languageOptions: {
      globals: { caches: "readonly", fetch: "readonly", self: "readonly", URL: "readonly" },
    },
  },
  {
    // The protocol must run anywhere: no DOM, no UI.
    files: ["src/protocol/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        "window",
        "document",
        "navigator",
        "location",
        "sessionStorage",
        "localStorage",
      ],
      "no-restricted-imports": [
        "error",
        { patterns: ["preact*", "@preact/*", "../call/*", "../state/*", "../ui/*"] },
      ],
    },
  },
);
