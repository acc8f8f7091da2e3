import type { PaymentMethod } from "@/api/types";

/** What the sum on the pad means for what is left of a bill; money in rupiah. */
export interface Tender {
  /** What goes to the bill. */
  amount: number;
  /** For cash: what the guest hands over. */
  cash: { tendered?: number };
  /** The bill is settled by it. */
  isWhole: boolean;
  /** Something is left to pay after it. */
  isPart: boolean;
  /** What goes back to the guest; a preview, the server's is the change. */
  change: number;
  /** More than is left, by a way to pay that gives no change. */
  tooMuch: boolean;
}

/**
 * @param rest what is left to pay by this method.
 * @param entered the sum on the pad; 0 when it is empty, which is all of it where nobody counts money.
 */
export function tenderOf(method: PaymentMethod, rest: number, entered: number): Tender {
  const isCash = method === "cash";
  const given = isCash || entered > 0 ? entered : rest;
  const tooMuch = !isCash && given > rest;
  return {
    amount: Math.min(given, rest),
    cash: isCash ? { tendered: given } : {},
    isWhole: given >= rest && !tooMuch,
    isPart: given > 0 && given < rest,
    change: isCash ? Math.max(0, given - rest) : 0,
    tooMuch,
  };
}
