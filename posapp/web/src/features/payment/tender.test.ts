import { describe, expect, it } from "vitest";
import { tenderOf } from "./tender";

describe("cash", () => {
  it("settles by what is left or more, with change", () => {
    expect(tenderOf("cash", 13_900, 20_000)).toMatchObject({
      amount: 13_900,
      cash: { tendered: 20_000 },
      isWhole: true,
      isPart: false,
      change: 6_100,
    });
    expect(tenderOf("cash", 13_900, 13_900)).toMatchObject({ isWhole: true, change: 0 });
  });

  it("is a part when it is less, and nothing when nothing was counted", () => {
    expect(tenderOf("cash", 13_900, 5_000)).toMatchObject({ amount: 5_000, isPart: true, isWhole: false });
    expect(tenderOf("cash", 13_900, 0)).toMatchObject({ isPart: false, isWhole: false });
  });

  it("settles a rest that rounds to nothing", () => {
    expect(tenderOf("cash", 0, 0)).toMatchObject({ isWhole: true, amount: 0 });
  });
});

describe.each(["qris", "card"] as const)("%s", (method) => {
  it("is all that is left while no sum is typed", () => {
    expect(tenderOf(method, 13_860, 0)).toMatchObject({ amount: 13_860, isWhole: true, cash: {} });
  });

  it("is a part when less was typed, and never more than is left", () => {
    expect(tenderOf(method, 13_860, 5_000)).toMatchObject({ amount: 5_000, isPart: true });
    expect(tenderOf(method, 13_860, 20_000)).toMatchObject({ tooMuch: true, isWhole: false, isPart: false });
  });
});
