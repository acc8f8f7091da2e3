import { expect, it } from "vitest";
import { basisPoints, percent } from "./percent";

it.each([
  ["5", 500],
  ["7,5", 750],
  [" 7.25 % ", 725],
  ["100", 10_000],
  ["0", 0],
])("reads the percent %s", (text, points) => expect(basisPoints(text)).toBe(points));

it.each(["", "-1", "100,01", "five", "1e2", "7,125", "1.000"])("takes no rate of %s", (text) =>
  expect(basisPoints(text)).toBeNull(),
);

it("reads what it writes", () => {
  for (let points = 0; points <= 10_000; points += 7) expect(basisPoints(percent(points))).toBe(points);
});
