import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { Quote } from "@/api/types";
import type { Draft } from "@/lib/database";
import { emptyDraft, toOrderInput } from "./draft";

export interface QuotedBill {
  sums: Quote;
  /** What each line comes to, by the line's key. */
  lineTotals: Map<string, number>;
}

/** The bill as the server computes it, a moment after the last tap; the client adds nothing up. */
export function useQuote(draft: Draft = emptyDraft) {
  const [settled] = useDebouncedValue(draft, 150);
  const keys = settled.lines.map(({ key }) => key);
  const body = toOrderInput(settled);
  const quote = useQuery({
    queryKey: ["quote", body, keys],
    enabled: keys.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<QuotedBill> => {
      const sums = await unwrap(api.POST("/api/v1/orders/quote", { body, signal }));
      const lineTotals = new Map(keys.map((key, at) => [key, sums.lines[at]?.total ?? 0]));
      return { sums, lineTotals };
    },
  });
  const stale = settled !== draft || quote.isPlaceholderData || quote.isError;
  return { bill: quote.data, stale, error: quote.error, retry: quote.refetch };
}
