import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys, POLL } from "@/api/keys";
import type { Approval, Payment, PaymentDetails, PaymentInput } from "@/api/types";
import { paymentSlot } from "@/lib/outgoing";
import { useOutgoingAct } from "@/lib/use-outgoing-act";

/** An order as it stands; another till may pay it meanwhile. */
export const useOrder = (orderId: number) =>
  useQuery({
    queryKey: keys.order(orderId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } }, signal }),
      ),
    staleTime: 0,
    refetchInterval: POLL,
  });

/** The payments of an order, undone ones too, in the order in which they were taken. */
export const usePayments = (orderId: number, wanted: boolean) =>
  useQuery({
    queryKey: keys.payments(orderId),
    queryFn: async ({ signal }): Promise<PaymentDetails[]> => {
      const path = { order_id: orderId };
      const page = await unwrap(
        api.GET("/api/v1/orders/{order_id}/payments", { params: { path }, signal }),
      );
      return page.payments;
    },
    enabled: wanted,
    refetchInterval: POLL,
  });

/**
 * Pay an order, or a part of it. A payment whose response was lost keeps its key and its amount until
 * the server has reported its outcome: `waiting` is that payment, and paying again repeats it.
 */
export function usePay(orderId: number, number: number | null) {
  const act = useOutgoingAct<PaymentInput>(paymentSlot(orderId));
  const pay = (payment: PaymentInput) => 
    act.submit(() => Promise.resolve(() => Promise.resolve(payment)), number);
  return { ...act, data: act.data as Payment | null, pay };
}

interface ApprovedBody {
  reason: string;
  approval?: Approval;
}

const keyed = (key: string) => ({ "Idempotency-Key": key });

/** Undo a payment that was a mistake; throws `ApiError`. */
export const undoPayment = (
  { order_id, id }: Pick<PaymentDetails, "order_id" | "id">,
  key: string,
  body: ApprovedBody,
) =>
  unwrap(
    api.POST("/api/v1/orders/{order_id}/payments/{payment_id}/reversal", {
      params: { path: { order_id, payment_id: id }, header: keyed(key) },
      body,
    }),
  );

/** Void an order, or one of its lines; throws `ApiError`. */
export const voidOrder = (
  order_id: number,
  line_id: number | null,
  key: string,
  body: ApprovedBody,
) =>
  line_id === null
    ? unwrap(
        api.POST("/api/v1/orders/{order_id}/void", {
          params: { path: { order_id }, header: keyed(key) },
          body,
        }),
      )
    : unwrap(
        api.POST("/api/v1/orders/{order_id}/lines/{line_id}/void", {
          params: { path: { order_id, line_id }, header: keyed(key) },
          body,
        }),
      );
