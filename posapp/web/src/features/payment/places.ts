import type { OrderSummary } from "@/api/types";

/** An order at its place in the list; one that is open no more keeps its place while it is looked at. */
export interface Place {
  order: OrderSummary;
  gone: boolean;
}

/**
 * The places of a list that does not move under the finger: the oldest first, what is new at the end,
 * and what was paid meanwhile where it was.
 *
 * @param open the open orders of now.
 */
export function placesAfter(before: Place[], open: OrderSummary[]): Place[] {
  const now = new Map(open.map((order) => [order.id, order]));
  const known = before.map(({ order }) => ({
    order: now.get(order.id) ?? order,
    gone: !now.has(order.id),
  }));
  const ids = new Set(before.map(({ order }) => order.id));
  const added = open.filter(({ id }) => !ids.has(id)).toSorted((one, other) => one.id - other.id);
  return [...known, ...added.map((order) => ({ order, gone: false }))];
}

/** Whether an order's number, total or table is what somebody types into the search. */
export function fits(order: OrderSummary, table: string | undefined, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  if (wanted === "") return true;
  const digits = wanted.replace(/\D/g, "");
  const figures = [order.number, order.total, order.due].map(String);
  if (/^(rp|no)?[\s.,\d]*$/.test(wanted) && digits && figures.some((one) => one.startsWith(digits))) {
    return true;
  }
  return [table, order.taken_by].some((text) => text?.toLowerCase().includes(wanted));
}
