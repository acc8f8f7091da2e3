/** @param basisPoints 500 is 5 %. @returns "5%", "7,5%". */
export const percent = (basisPoints: number): string =>
  `${(basisPoints / 100).toLocaleString("id-ID", { maximumFractionDigits: 2 })}%`;

const RATE = /^(\d{1,3})(?:[.,](\d{1,2}))?$/;

/** @returns the basis points of "7,5" or "7.5 %", as people write percents; null for what is none up to 100. */
export function basisPoints(text: string): number | null {
  const [, whole, part = ""] = RATE.exec(text.replace("%", "").trim()) ?? [];
  if (whole === undefined) return null;
  const points = Number(whole) * 100 + Number(part.padEnd(2, "0"));
  return points <= 10_000 ? points : null;
}
