/** Money is whole rupiah everywhere; people read "Rp 85.000" in both languages. */
const rupiahFormat = new Intl.NumberFormat("id-ID", {
  style: "currency",
  currency: "IDR",
  maximumFractionDigits: 0,
});

export const rupiah = (amount: number): string => rupiahFormat.format(amount);

/** The multiples that guests round up to, in rupiah. */
const ROUND = [10_000, 50_000, 100_000];

/**
 * Return the amounts that a guest is likely to tender for `due`: the exact sum, then the next round ones.
 *
 * @returns at most four amounts in rupiah, rising, the first one exact.
 */
export function quickAmounts(due: number): number[] {
  const likely = ROUND.map((round) => Math.ceil(due / round) * round);
  return [...new Set([due, ...likely])];
}

/** Type `key` of the number pad behind `typed`: a digit, "000", "back" or "clear". */
export function typeAmount(typed: string, key: string): string {
  if (key === "clear") return "";
  if (key === "back") return typed.slice(0, -1);
  return `${typed}${key}`.replace(/^0+/, "").slice(0, 9);
}
