import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { afterPriceChange, afterSale, afterSoldOut, keys } from "./keys";

const all = [
  keys.menu("id"),
  keys.tables,
  keys.restaurant,
  keys.openOrders,
  keys.paidOrders("2026-11-25", ""),
  keys.order(7),
  keys.payments(7),
  keys.receipt(7),
  keys.quote({ type: "takeaway", lines: [] }, []),
  keys.dayReport(null),
  keys.clock,
] as const;

/** The keys that are stale after `spoil`, as text. */
function spoiltBy(spoil: (queries: QueryClient) => void): string[] {
  const queries = new QueryClient();
  for (const key of all) queries.setQueryData(key, {});
  spoil(queries);
  const stale = all.filter((key) => queries.getQueryState(key)?.isInvalidated);
  return stale.map(([name, of]) => (typeof of === "object" ? name : [name, of].filter(Boolean).join(":")));
}

it("gives everything that is read a name of its own", () => {
  const names = all.map((key) => JSON.stringify(key));
  expect(new Set(names).size).toBe(names.length);
});

it("reads again after a sale all that a sale changes, and nothing else", () => {
  expect(spoiltBy(afterSale)).toEqual([
    "tables",
    "orders:open",
    "orders:paid",
    "orders:7",
    "orders:7",
    "orders:7",
    "reports:day",
  ]);
});

it("reads menu and quote again after another price, and the quote after something is sold out", () => {
  expect(spoiltBy(afterPriceChange)).toEqual(["menu:id", "quote"]);
  expect(spoiltBy(afterSoldOut)).toEqual(["quote"]);
});
