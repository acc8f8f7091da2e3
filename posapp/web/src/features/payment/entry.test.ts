import { expect, it } from "vitest";
import { amountOf, NOTHING, press, propose } from "./entry";

const typed = (start = NOTHING, ...keys: string[]) => amountOf(keys.reduce(press, start));

it("types what is pressed", () => {
  expect(typed(NOTHING, "5", "0", "000")).toBe(50_000);
  expect(typed(NOTHING, "5", "0", "back")).toBe(5);
  expect(typed(NOTHING, "5", "clear")).toBe(0);
});

it("replaces a proposed amount by the first digit, and goes on behind it", () => {
  expect(typed(propose(13_900), "5")).toBe(5);
  expect(typed(propose(13_900), "5", "0")).toBe(50);
  expect(typed(propose(13_900), "000")).toBe(0);
});

it("takes a proposed amount away as a whole", () => {
  expect(press(propose(13_900), "back")).toEqual(NOTHING);
});
