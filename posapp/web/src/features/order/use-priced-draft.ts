import { useMemo } from "react";
import type { Product } from "@/api/types";
import type { Draft, DraftLine } from "@/lib/database";
import { useQuote } from "./use-quote";

const isSoldOut = (products: Map<number, Product>) => (line: DraftLine) =>
  products.get(line.productId)?.available === false;

/** The quote of a draft, of what can be had: what is sold out meanwhile takes no sums from the rest. */
export function usePricedDraft(draft: Draft | undefined, products: Map<number, Product>) {
  const priced = useMemo(
    () => draft && { ...draft, lines: draft.lines.filter((line) => !isSoldOut(products)(line)) },
    [draft, products],
  );
  return { ...useQuote(priced), soldOut: draft?.lines.filter(isSoldOut(products)) ?? [] };
}
