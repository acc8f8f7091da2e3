import { expect, it } from "vitest";
import type { OrderSummary } from "@/api/types";
import { fits, type Place, placesAfter } from "./places";

const order = (id: number, more: Partial<OrderSummary> = {}): OrderSummary => ({
  id,
  number: id,
  status: "open",
  type: "takeaway",
  table_id: null,
  customer_name: null,
  guests: null,
  total: 13_860,
  due: 13_860,
  created_at: "2026-11-25T12:00:00Z",
  business_date: "2026-11-25",
  taken_by: "waiter",
  ...more,
});
const ids = (places: Place[]) => places.map((place) => place.order.id * (place.gone ? -1 : 1));

it("puts the oldest first and what is new at the end, in whatever order the server has them", () => {
  const first = placesAfter([], [order(3), order(1), order(2)]);
  expect(ids(first)).toEqual([1, 2, 3]);
  expect(ids(placesAfter(first, [order(4), order(3), order(2), order(1)]))).toEqual([1, 2, 3, 4]);
});

it("keeps the place of what was paid meanwhile, and gives it back when it is open again", () => {
  const first = placesAfter([], [order(1), order(2), order(3)]);
  const second = placesAfter(first, [order(3), order(1)]);
  expect(ids(second)).toEqual([1, -2, 3]);
  expect(ids(placesAfter(second, [order(3), order(2), order(1)]))).toEqual([1, 2, 3]);
});

it("finds by number, sum, table and person", () => {
  const one = order(70, { total: 139_000, due: 50_000, taken_by: "sari" });
  for (const search of ["70", "7", "No 70", "139.000", "Rp 139.000", "50000", "b3", "SARI", ""]) {
    expect(fits(one, "B3", search), search).toBe(true);
  }
  for (const search of ["71", "13.901", "B4", "%"]) expect(fits(one, "B3", search), search).toBe(false);
});
