import type { QueryClient } from "@tanstack/react-query";
import type { Language } from "@/i18n";
import type { OrderInput } from "./types";

/** The name of everything that is read from the server, in one place. */
export const keys = {
  menu: (language: Language) => ["menu", language] as const,
  tables: ["tables"] as const,
  restaurant: ["restaurant"] as const,
  openOrders: ["orders", "open"] as const,
  paidOrders: (day: string, search: string) => ["orders", "paid", day, search] as const,
  order: (orderId: number) => ["orders", orderId] as const,
  payments: (orderId: number) => ["orders", orderId, "payments"] as const,
  receipt: (orderId: number) => ["orders", orderId, "receipt"] as const,
  quote: (body: OrderInput, lines: string[]) => ["quote", body, lines] as const,
  dayReport: (date: string | null) => ["reports", "day", date] as const,
  clock: ["clock"] as const,
  demoLogins: ["demo-logins"] as const,
  health: ["health"] as const,
};

/** Milliseconds after which a screen asks what other tills have done meanwhile. */
export const POLL = 5_000;

function spoil(queries: QueryClient, ...spoilt: (readonly unknown[])[]): void {
  for (const queryKey of spoilt) void queries.invalidateQueries({ queryKey });
}

/** An order was sent, paid, voided, or a payment undone: nobody waits for what is read again. */
export const afterSale = (queries: QueryClient): void =>
  spoil(queries, ["orders"], keys.tables, ["reports"]);

/** Another price or another menu than the one that was on the screen. */
export const afterPriceChange = (queries: QueryClient): void =>
  spoil(queries, ["quote"], ["menu"]);

/** Something is sold out, or back: what an order being written costs is asked again. */
export const afterSoldOut = (queries: QueryClient): void => spoil(queries, ["quote"]);

/** Another name, tax or rate of the house: also what an order being written costs. */
export const afterHouseChange = (queries: QueryClient): void => spoil(queries, keys.restaurant, ["quote"]);

/** The clock was confirmed. */
export const afterClock = (queries: QueryClient): void => spoil(queries, keys.clock);
