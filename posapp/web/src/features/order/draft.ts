import type { OrderInput } from "@/api/types";
import type { Draft, DraftLine } from "@/lib/database";

/** Changes to the order that is being written: each a function from one draft to the next. */
/** One product with its variant, modifiers, quantity and note, before it is a line. */
export type ProductSelection = Omit<DraftLine, "key">;

export const emptyDraft: Draft = { id: "current", type: "dine_in", tableId: null, lines: [] };

export const MAX_QUANTITY = 99;

const isSameSelection = (line: DraftLine, selection: ProductSelection): boolean =>
  line.productId === selection.productId &&
  line.variantId === selection.variantId &&
  line.note === selection.note &&
  line.modifierIds.join() === selection.modifierIds.join();

/** Add a selection, on top of a line that is the very same; else as a new line named `key`. */
export function addLine(draft: Draft, selection: ProductSelection, key: string): Draft {
  const twin = draft.lines.find((line) => isSameSelection(line, selection));
  if (twin) return setQuantity(draft, twin.key, twin.quantity + selection.quantity);
  return { ...draft, lines: [...draft.lines, { ...selection, key }] };
}

/** Set the quantity of a line; at zero the line goes. */
export function setQuantity(draft: Draft, key: string, quantity: number): Draft {
  const bounded = Math.min(quantity, MAX_QUANTITY);
  const lines = draft.lines.map((line) => (line.key === key ? { ...line, quantity: bounded } : line));
  return { ...draft, lines: lines.filter((line) => line.quantity > 0) };
}

export function setNote(draft: Draft, key: string, note: string): Draft {
  const lines = draft.lines.map((line) => (line.key === key ? { ...line, note } : line));
  return { ...draft, lines };
}

/** Return the quantity of each product in the draft, by product id. */
export function countByProduct({ lines }: Draft): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { productId, quantity } of lines) {
    counts.set(productId, (counts.get(productId) ?? 0) + quantity);
  }
  return counts;
}

/** The body that the server takes for a quote and for an order. */
export function toOrderInput({ type, tableId, lines }: Draft): OrderInput {
  return {
    type,
    ...(type === "dine_in" && tableId !== null && { table_id: tableId }),
    lines: lines.map(({ productId, variantId, modifierIds, quantity, note }) => ({
      product_id: productId,
      ...(variantId !== null && { variant_id: variantId }),
      ...(modifierIds.length > 0 && { modifier_ids: modifierIds }),
      quantity,
      ...(note && { note }),
    })),
  };
}

/** A dine-in order goes to a table; nothing can be sent while it has none. */
export const needsTable = ({ type, tableId }: Draft): boolean =>
  type === "dine_in" && tableId === null;
