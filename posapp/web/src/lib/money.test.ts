import { describe, expect, it } from "vitest";
import { quickAmounts, rupiah, typeAmount } from "./money";

describe("rupiah", () => {
  it("writes whole rupiah with dots, as on the menu", () => {
    expect(rupiah(85_000).replace("\u00a0", " ")).toBe("Rp 85.000");
    expect(rupiah(0).replace("\u00a0", " ")).toBe("Rp 0");
    expect(rupiah(12_345_678).replace("\u00a0", " ")).toBe("Rp 12.345.678");
  });
});

describe("quick amounts", () => {
  it.each([
    [213_400, [213_400, 220_000, 250_000, 300_000]],
    [35_000, [35_000, 40_000, 50_000, 100_000]],
    [47_300, [47_300, 50_000, 100_000]],
    [98_000, [98_000, 100_000]],
    [100_000, [100_000]],
  ])("for %i are the exact sum and the next round ones", (due, amounts) => {
    expect(quickAmounts(due)).toEqual(amounts);
  });

  it("rise, and never offer less than the bill", () => {
    for (let due = 100; due < 400_000; due += 1_300) {
      const amounts = quickAmounts(due);
      expect(amounts[0]).toBe(due);
      expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
    }
  });
});

describe("the number pad", () => {
  it("types, corrects and clears", () => {
    expect(["2", "5", "0", "000"].reduce(typeAmount, "")).toBe("250000");
    expect(typeAmount("250000", "back")).toBe("25000");
    expect(typeAmount("25000", "clear")).toBe("");
  });

  it("takes neither leading zeros nor more than nine digits", () => {
    expect(["0", "000", "7"].reduce(typeAmount, "")).toBe("7");
    expect(typeAmount("123456789", "0")).toBe("123456789");
  });
});
