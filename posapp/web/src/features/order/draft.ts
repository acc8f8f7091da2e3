import type { Order, OrderInput, Product } from "@/api/types";
import type { Draft, DraftLine, Guest } from "@/lib/database";

/** Changes to the order that is being written: each a function from one draft to the next. */
/** One product with its variant, modifiers, quantity and note, before it is a line. */
export type ProductSelection = Omit<DraftLine, "key">;

/** A line that was taken out of the order, and where it stood. */
export interface RemovedLine {
  line: DraftLine;
  at: number;
}

export const noGuest: Guest = { count: null, name: "", phone: "", address: "" };
export const emptyDraft: Draft = {
  id: "current",
  type: "dine_in",
  tableId: null,
  guest: noGuest,
  lines: [],
  lastSent: null,
};

export const MAX_QUANTITY = 99;

/** One of a product as the menu offers it first. */
export const plainSelection = ({ id, variants }: Product): ProductSelection => ({
  productId: id,
  variantId: variants[0]?.id ?? null,
  modifierIds: [],
  quantity: 1,
  note: "",
});

const isSameSelection = (line: DraftLine, selection: ProductSelection): boolean =>
  line.productId === selection.productId &&
  line.variantId === selection.variantId &&
  line.note === selection.note &&
  line.modifierIds.join() === selection.modifierIds.join();

/** Add a selection, on top of a line that is the very same; else as a new line named `key`. */
export function addLine(draft: Draft, selection: ProductSelection, key: string): Draft {
  const twin = draft.lines.find((line) => isSameSelection(line, selection));
  if (twin) return changeQuantity(draft, twin.key, selection.quantity);
  return { ...draft, lines: [...draft.lines, { ...selection, key }] };
}

/** Put a selection in the place of a line; a line that is the very same takes it up. */
export function replaceLine(draft: Draft, key: string, selection: ProductSelection): Draft {
  const twin = draft.lines.find((line) => line.key !== key && isSameSelection(line, selection));
  if (twin) return addLine(setQuantity(draft, key, 0), selection, key);
  const lines = draft.lines.map((line) => (line.key === key ? { ...selection, key } : line));
  return { ...draft, lines };
}

/** Set the quantity of a line; at zero the line goes. */
export function setQuantity(draft: Draft, key: string, quantity: number): Draft {
  const bounded = Math.min(quantity, MAX_QUANTITY);
  const lines = draft.lines.map((line) => (line.key === key ? { ...line, quantity: bounded } : line));
  return { ...draft, lines: lines.filter((line) => line.quantity > 0) };
}

/** Add `by` to the quantity of a line, so that two taps count twice whatever the screen shows. */
export function changeQuantity(draft: Draft, key: string, by: number): Draft {
  const line = draft.lines.find((one) => one.key === key);
  return line ? setQuantity(draft, key, line.quantity + by) : draft;
}

export function setNote(draft: Draft, key: string, note: string): Draft {
  const lines = draft.lines.map((line) => (line.key === key ? { ...line, note } : line));
  return { ...draft, lines };
}

/** The lines that `after` has lost of `before`, each with its place. */
export function removedLines(before: DraftLine[], after: DraftLine[]): RemovedLine[] {
  const left = new Set(after.map(({ key }) => key));
  return before.flatMap((line, at) => (left.has(line.key) ? [] : [{ line, at }]));
}

/** Put removed lines back where they stood, among whatever was written since. */
export function restoreLines(draft: Draft, removed: RemovedLine[]): Draft {
  const lines = [...draft.lines];
  for (const { line, at } of removed) {
    if (!lines.some(({ key }) => key === line.key)) lines.splice(at, 0, line);
  }
  return { ...draft, lines };
}

/** What the last change did to the lines: the line that was added to or taken from. */
export interface LineChange {
  line: DraftLine;
  added: boolean;
}

/** The line that has grown or come, else the one that has shrunk or gone; null when neither has. */
export function changeBetween(before: DraftLine[], after: DraftLine[]): LineChange | null {
  const quantities = new Map(before.map(({ key, quantity }) => [key, quantity]));
  const added = after.findLast(({ key, quantity }) => quantity > (quantities.get(key) ?? 0));
  if (added) return { line: added, added: true };
  const shrunk = after.find(({ key, quantity }) => quantity < (quantities.get(key) ?? 0));
  const gone = removedLines(before, after).at(-1)?.line;
  const line = shrunk ?? (gone && { ...gone, quantity: 0 });
  return line ? { line, added: false } : null;
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
export function toOrderInput({ type, tableId, guest, lines }: Draft): OrderInput {
  const away = type !== "dine_in";
  return {
    type,
    ...(!away && tableId !== null && { table_id: tableId }),
    ...(!away && guest.count !== null && { guests: guest.count }),
    ...(away && guest.name && { customer_name: guest.name }),
    ...(away && guest.phone && { customer_phone: guest.phone }),
    ...(type === "delivery" && guest.address && { customer_address: guest.address }),
    lines: lines.map(({ productId, variantId, modifierIds, quantity, note }) => ({
      product_id: productId,
      ...(variantId !== null && { variant_id: variantId }),
      ...(modifierIds.length > 0 && { modifier_ids: modifierIds }),
      quantity,
      ...(note && { note }),
    })),
  };
}

/** The order of a body that was sent, to be written on; a line's place is its key. */
export function fromOrderInput(body: OrderInput, lastSent: Draft["lastSent"]): Draft {
  const { customer_name: name, customer_phone: phone, customer_address: address } = body;
  return {
    ...emptyDraft,
    lastSent,
    type: body.type,
    tableId: body.table_id ?? null,
    guest: { count: body.guests ?? null, name: name ?? "", phone: phone ?? "", address: address ?? "" },
    lines: body.lines.map((line, at) => ({
      key: `again ${at}`,
      productId: line.product_id,
      variantId: line.variant_id ?? null,
      modifierIds: [...(line.modifier_ids ?? [])],
      quantity: line.quantity,
      note: line.note ?? "",
    })),
  };
}

/** What a price depends on: for whom the order is changes none. */
export const toQuoteInput = (draft: Draft): OrderInput => toOrderInput({ ...draft, guest: noGuest });

/** A dine-in order goes to a table; nothing can be sent while it has none. */
export const needsTable = ({ type, tableId }: Draft): boolean =>
  type === "dine_in" && tableId === null;

/** Food that is delivered goes to somebody, somewhere, who can be called. */
export const needsGuest = ({ type, guest }: Draft): boolean =>
  type === "delivery" && !(guest.name && guest.phone && guest.address);

/** An order without lines for the next guest, who has chosen neither type nor table. */
export const nextDraft = ({ lastSent }: Draft): Draft => ({ ...emptyDraft, lastSent });

/** Remember `order` as the one that was sent last. */
export const rememberSent = (draft: Draft, order: Order): Draft => ({
  ...draft,
  lastSent: {
    orderId: order.id,
    number: order.number,
    type: order.type,
    tableId: order.table_id ?? null,
    guestName: order.customer_name ?? "",
  },
});
