import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { mask, secretName } from "./masking";

interface Cases {
  names: string[];
  harmless: string[];
  texts: { text: string; secret: string }[];
}

/** The same cases that the server's masking is held by, in tests/observability/test_browser_masking.py. */
const cases = JSON.parse(
  readFileSync(new URL("masking-cases.json", import.meta.url), "utf8"),
) as Cases;

it.each(cases.names)("knows %s for the name of a secret", (name) => {
  expect(secretName(name)).toBe(true);
});

it.each(cases.harmless)("leaves %s alone", (name) => {
  expect(secretName(name)).toBe(false);
  expect(mask(`${name}=harmless`)).toBe(`${name}=harmless`);
});

it.each(cases.texts)("shows no secret of $text", ({ text, secret }) => {
  expect(mask(text)).not.toContain(secret);
});
