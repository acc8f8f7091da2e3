import { describe, expect, it } from "vitest";
import type { ModifierGroup, Product } from "@/api/types";
import { hasOptions, inMenuOrder, isFull, toggleModifier, unmetGroups } from "./modifiers";

const modifier = (id: number) => ({ id, name: `m${id}`, price: 0 });
const doneness: ModifierGroup = {
  id: 1, name: "Kematangan", min: 1, max: 1, modifiers: [1, 2, 3].map(modifier),
};
const sides: ModifierGroup = {
  id: 2, name: "Pendamping", min: 0, max: 2, modifiers: [4, 5, 6].map(modifier),
};
const ribeye: Product = {
  id: 1, name: "Ribeye", price: 0, available: true, category_id: 1, variants: [],
  modifier_groups: [doneness, sides],
};

describe("a group of one", () => {
  it("swaps its choice and can be emptied", () => {
    expect(toggleModifier(doneness, [1, 5], 2)).toEqual([5, 2]);
    expect(toggleModifier(doneness, [2], 2)).toEqual([]);
  });
});

describe("a group of several", () => {
  it("takes no more than its maximum", () => {
    expect(isFull(sides, [4, 5])).toBe(true);
    expect(toggleModifier(sides, [4, 5], 6)).toEqual([4, 5]);
    expect(toggleModifier(sides, [4, 5], 4)).toEqual([5]);
  });

  it("does not count what other groups have", () => {
    expect(isFull(sides, [1, 2, 3, 4])).toBe(false);
  });
});

describe("a product", () => {
  it("names the groups that still miss a choice", () => {
    expect(unmetGroups(ribeye, [])).toEqual([doneness]);
    expect(unmetGroups(ribeye, [3])).toEqual([]);
  });

  it("lists choices in the menu's order, however they were tapped", () => {
    expect(inMenuOrder(ribeye, [6, 4, 2])).toEqual([2, 4, 6]);
  });

  it("opens the sheet only when there is something to choose", () => {
    expect(hasOptions(ribeye)).toBe(true);
    expect(hasOptions({ ...ribeye, modifier_groups: [] })).toBe(false);
  });
});
