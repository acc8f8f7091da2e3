import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { OrderSummary, PaymentInput } from "@/api/types";
import { claim, deliver, nothingNew, useOutgoing, useResume } from "@/lib/outgoing";

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
    queryKey: ["orders", "open"],
    queryFn: ({ signal }) => fetchOpenOrders(signal),
    refetchInterval: 10_000,
  });

export const useOrder = (orderId: number) =>
  useQuery({
    queryKey: ["orders", orderId],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } }, signal }),
      ),
    staleTime: 0,
  });

/**
 * Pay an order. A payment whose response was lost keeps its key and its amount until the server
 * has reported its outcome: `waiting` is that payment, and paying again repeats it.
 */
export function usePay(orderId: number) {
  const queries = useQueryClient();
  const slot = `payment:${orderId}`;
  const waiting = useOutgoing(slot)?.body as PaymentInput | undefined;
  const pay = useMutation({
    mutationFn: async (payment: PaymentInput | "again") => {
      const write = payment === "again" ? nothingNew : () => Promise.resolve(payment);
      const outgoing = await claim(slot, write);
      if (!outgoing) return null;
      return deliver(outgoing, ({ key, body }) =>
        unwrap(
          api.POST("/api/v1/orders/{order_id}/payments", {
            params: { path: { order_id: orderId }, header: { "Idempotency-Key": key } },
            body: body as PaymentInput,
          }),
        ),
      );
    },
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ["orders"] });
      await queries.invalidateQueries({ queryKey: ["tables"] });
    },
  });
  const again = () => pay.mutate("again");
  useResume(waiting !== undefined, pay.isIdle, again);
  return { ...pay, waiting, again };
}
