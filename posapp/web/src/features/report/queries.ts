import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";

/** The sums of a business date, or of today's; those of a day under way grow. */
export const useDayReport = (date: string | null) =>
  useQuery({
    queryKey: keys.dayReport(date),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/reports/day", { params: { query: date ? { date } : {} }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.today ? 15_000 : false),
  });
