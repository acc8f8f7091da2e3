import { QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Language } from "@/i18n";
import { api, unwrap } from "./client";
import { ApiError } from "./error";

/** Reads only: what moves money or food goes through `lib/outgoing`, which survives a reload. */
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

const menuIn = (lang: Language) =>
  queryOptions({
    queryKey: ["menu", lang],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/public/menu", { params: { query: { lang } }, signal })),
    // A sold-out product must show soon; an unchanged menu costs a 304 without a body.
    staleTime: 5_000,
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
    queryKey: ["tables"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/tables", { signal })),
    select: ({ floors }) => floors,
    staleTime: live ? 0 : 10_000,
    refetchInterval: live && 5_000,
  });
}

/** @returns the name of a table by its id, or undefined while the tables are on their way. */
export function useTableName(): (id: number | null | undefined) => string | undefined {
  const { data: floors = [] } = useFloors();
  const names = new Map(floors.flatMap(({ tables }) => tables).map(({ id, name }) => [id, name]));
  return (id) => (id == null ? undefined : names.get(id));
}
