import { describe, expect, it } from "vitest";
import { typeAhead } from "./type-ahead";

const names = ["A1", "A2", "B1", "B10", "VIP"];
const press = (key: string) => ({ key, ctrlKey: false, metaKey: false, altKey: false });
const typing = (text: string) =>
  Array.from(text).reduce((typed: string, key) => typeAhead(names, typed, press(key))?.typed ?? typed, "");

describe("typing a name", () => {
  it.each(["A2", "B10", "VIP"])("leads letter by letter to %s", (name) => {
    const typed = typing(name.toLowerCase().slice(0, -1));
    expect(names[typeAhead(names, typed, press(name.slice(-1)))?.at ?? -1]).toBe(name);
  });

  it("begins anew with a letter that leads nowhere", () => {
    expect(typeAhead(names, "B1", press("a"))).toEqual({ at: 0, typed: "a" });
  });

  it("leaves other keys to whom they belong", () => {
    expect(typeAhead(names, "", press("ArrowDown"))).toBeNull();
    expect(typeAhead(names, "", press("x"))).toBeNull();
    expect(typeAhead(names, "", { ...press("a"), ctrlKey: true })).toBeNull();
  });
});
