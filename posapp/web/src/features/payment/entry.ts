import { typeAmount } from "@/lib/money";

/** The sum on the pad. One that was proposed by a tap is replaced by the first digit, not added to. */
export interface Entry {
  text: string;
  proposed: boolean;
}

export const NOTHING: Entry = { text: "", proposed: false };

/** Whether anything stands on the pad. */
export const isEmpty = ({ text }: Entry): boolean => text === "";

/** @param amount rupiah. */
export const propose = (amount: number): Entry => ({ text: String(amount), proposed: true });

/** Press a key of the pad: a digit, "000", "back" or "clear". */
export function press({ text, proposed }: Entry, key: string): Entry {
  if (proposed && key === "back") return NOTHING;
  return { text: typeAmount(proposed ? "" : text, key), proposed: false };
}

/** @returns rupiah; 0 while nothing is typed. */
export const amountOf = ({ text }: Entry): number => Number(text);
