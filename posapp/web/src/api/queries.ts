import { QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Language } from "@/i18n";
import { api, unwrap } from "./client";
import { ApiError } from "./error";
import { keys, POLL } from "./keys";
import { onNewcomer, useUser } from "./sign-in";
import type { OrderSummary } from "./types";

/** Reads only: what moves money or food goes through `lib/outbox`, which survives a reload. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The tablet's own opinion on being online says nothing about the server in the same room.
      networkMode: "always",
      retry: (failures, error) => error instanceof ApiError && error.outcomeUnknown && failures < 2,
    },
    mutations: { networkMode: "always", retry: false },
  },
});

// What one person has read is not the next one's to see.
onNewcomer(() => queryClient.clear());

const menuIn = (lang: Language) =>
  queryOptions({
    queryKey: keys.menu(lang),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/public/menu", { params: { query: { lang } }, signal })),
    // A sold-out product must show soon; an unchanged menu costs a 304 without a body.
    staleTime: POLL,
  });

/** The menu in the language of the screen. */
export function useMenu() {
  const lang = useTranslation().i18n.language as Language;
  return useQuery({ ...menuIn(lang), refetchInterval: 10_000 });
}

/** The menu in the language that the screen is not in, once somebody needs it. */
export function useOtherMenu(enabled: boolean) {
  const lang = useTranslation().i18n.language === "en" ? "id" : "en";
  return useQuery({ ...menuIn(lang), enabled, staleTime: 60_000 });
}

/**
 * Floors with their tables, and which of them have open orders.
 *
 * @param live asked for at once and every five seconds: other tills take and free tables.
 */
export function useFloors({ live = false } = {}) {
  return useQuery({
    queryKey: keys.tables,
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/tables", { signal })),
    select: ({ floors }) => floors,
    staleTime: live ? 0 : POLL,
    refetchInterval: POLL,
  });
}

/** @returns the name of a table by its id, or undefined while the tables are on their way. */
export function useTableName(): (id: number | null | undefined) => string | undefined {
  const { data: floors = [] } = useFloors();
  const names = new Map(floors.flatMap(({ tables }) => tables).map(({ id, name }) => [id, name]));
  return (id) => (id == null ? undefined : names.get(id));
}

/** Name, tax and rates of the house, and its business date of now. */
export const useRestaurant = () =>
  useQuery({
    queryKey: keys.restaurant,
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/public/restaurant", { signal })),
    staleTime: 60_000,
    refetchInterval: 60_000,
  }).data;

/** Fetch page after page of the open orders, to the last one. */
async function fetchOpenOrders(signal: AbortSignal): Promise<OrderSummary[]> {
  const found: OrderSummary[] = [];
  let cursor: number | undefined;
  do {
    const query = { status: "open", ...(cursor && { cursor }) } as const;
    const page = await unwrap(api.GET("/api/v1/orders", { params: { query }, signal }));
    found.push(...page.orders);
    cursor = page.next ?? undefined;
  } while (cursor);
  return found;
}

/** Sent and not yet paid, all of them, newest first as the server has them. */
export const useOpenOrders = () =>
  useQuery({
    queryKey: keys.openOrders,
    queryFn: ({ signal }) => fetchOpenOrders(signal),
    refetchInterval: POLL,
    enabled: useUser() !== null,
  });
