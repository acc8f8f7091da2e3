import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import type { Quote } from "@/api/types";
import type { Draft } from "@/lib/database";
import { emptyDraft, toOrderInput } from "./draft";

export interface QuotedOrder {
  totals: Quote;
  /** The total of each line in rupiah, by the line's key. */
  lineTotals: Map<string, number>;
}

/** The order as the server prices it, a moment after the last tap; the client adds nothing up. */
export function useQuote(draft: Draft = emptyDraft) {
  const [settled] = useDebouncedValue(draft, 150);
  const lines = settled.lines.map(({ key }) => key);
  const body = toOrderInput(settled);
  const quote = useQuery({
    queryKey: keys.quote(body, lines),
    enabled: lines.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<QuotedOrder> => {
      const quoted = await unwrap(api.POST("/api/v1/orders/quote", { body, signal }));
      const lineTotals = new Map(lines.map((key, at) => [key, quoted.lines[at]?.total ?? 0]));
      return { totals: quoted, lineTotals };
    },
  });
  const stale = settled !== draft || quote.isPlaceholderData || quote.isError;
  return { quoted: quote.data, stale, error: quote.error, retry: quote.refetch };
}
