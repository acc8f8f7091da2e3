import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys, POLL } from "@/api/keys";

/** The bills that were paid on a business date, newest first, that fit a search; page by page. */
export const usePaidOrders = (day: string | undefined, search: string) =>
  useInfiniteQuery({
    queryKey: keys.paidOrders(day ?? "", search),
    queryFn: ({ signal, pageParam }) => {
      const query = {
        status: "paid",
        ...(day && { settled_on: day }),
        ...(search && { search }),
        ...(pageParam && { cursor: pageParam }),
      } as const;
      return unwrap(api.GET("/api/v1/orders", { params: { query }, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: ({ next }) => next ?? undefined,
    enabled: day !== undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 2 * POLL,
  });

/** A bill as it is printed. */
export const useReceipt = (orderId: number) =>
  useQuery({
    queryKey: keys.receipt(orderId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/v1/orders/{order_id}/receipt", {
          params: { path: { order_id: orderId } },
          signal,
        }),
      ),
    staleTime: 0,
  });

/** Count a receipt that goes to paper; throws `ApiError`. */
export const countPrint = (orderId: number, key: string) =>
  unwrap(
    api.POST("/api/v1/orders/{order_id}/receipt/prints", {
      params: { path: { order_id: orderId }, header: { "Idempotency-Key": key } },
      body: {},
    }),
  );
