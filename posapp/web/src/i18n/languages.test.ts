import { expect, it } from "vitest";
import en from "./en.json";
import id from "./id.json";

/** Every text under its dotted key. */
function texts(node: object, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(node) as [string, string | object][]) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [path, text] of texts(value, `${prefix}${key}.`)) found.set(path, text);
  }
  return found;
}

const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
const [indonesian, english] = [texts(id), texts(en)];

it("has the same keys in both languages, in the same order", () => {
  expect([...english.keys()]).toEqual([...indonesian.keys()]);
});

it("fills the same gaps in both languages", () => {
  for (const [key, text] of indonesian) {
    expect(placeholders(english.get(key) ?? ""), key).toEqual(placeholders(text));
  }
});

it("leaves no text empty", () => {
  for (const [key, text] of [...indonesian, ...english]) expect(text.trim(), key).not.toBe("");
});
