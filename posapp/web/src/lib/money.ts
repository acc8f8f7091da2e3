/** Money is whole rupiah everywhere; people read "Rp 85.000" in both languages. */
const rupiahFormat = new Intl.NumberFormat("id-ID", {
  style: "currency",
  currency: "IDR",
  maximumFractionDigits: 0,
});

export const rupiah = (amount: number): string => rupiahFormat.format(amount);

/** Notes that guests hand over, in rupiah, largest last. */
const NOTES = [5_000, 10_000, 20_000, 50_000, 100_000];

/**
 * What a guest is likely to hand over for `due`: the exact sum, then the nearest heaps of one note.
 *
 * @returns at most four amounts in rupiah, rising, the first one exact.
 */
export function quickAmounts(due: number): number[] {
  const heaps = NOTES.map((note) => Math.ceil(due / note) * note).filter((heap) => heap > due);
  const likely = [...new Set(heaps)].sort((a, b) => a - b);
  return [due, ...likely.slice(-3)];
}

/** Type `key` of the number pad behind `typed`: a digit, "000", "back" or "clear". */
export function typeAmount(typed: string, key: string): string {
  if (key === "clear") return "";
  if (key === "back") return typed.slice(0, -1);
  return `${typed}${key}`.replace(/^0+/, "").slice(0, 9);
}
