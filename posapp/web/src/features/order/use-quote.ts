import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import type { OrderInput, Quote } from "@/api/types";
import type { Draft } from "@/lib/database";
import { emptyDraft, toQuoteInput } from "./draft";

export interface QuotedOrder {
  /** What these sums are of. */
  body: OrderInput;
  totals: Quote;
  /** The total of each line in rupiah, by the line's key. */
  lineTotals: Map<string, number>;
}

/** The question what a draft costs. */
export function quoteOf(draft: Draft) {
  const lines = draft.lines.map(({ key }) => key);
  const body = toQuoteInput(draft);
  return queryOptions({
    queryKey: keys.quote(body, lines),
    queryFn: async ({ signal }): Promise<QuotedOrder> => {
      const quoted = await unwrap(api.POST("/api/v1/orders/quote", { body, signal }));
      const lineTotals = new Map(lines.map((key, at) => [key, quoted.lines[at]?.total ?? 0]));
      return { body, totals: quoted, lineTotals };
    },
  });
}

/** The order as the server prices it, a moment after the last tap; the client adds nothing up. */
export function useQuote(draft: Draft = emptyDraft) {
  const [settled] = useDebouncedValue(draft, 150);
  const quote = useQuery({
    ...quoteOf(settled),
    enabled: settled.lines.length > 0,
    placeholderData: keepPreviousData,
  });
  const stale = settled !== draft || quote.isPlaceholderData || quote.isError || !quote.data;
  return { quoted: quote.data, stale, error: quote.error, retry: quote.refetch };
}
