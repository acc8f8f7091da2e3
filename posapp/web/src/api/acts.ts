import { paidOrderOf } from "@/lib/outgoing";
import type { Outgoing } from "@/lib/database";
import { api, unwrap } from "./client";
import type { Order, OrderInput, Payment, PaymentInput } from "./types";

/** Carry out a request that moves money or food, under its key. Throws `ApiError`. */
export function sendAct({ slot, key, body }: Outgoing): Promise<Order | Payment> {
  const header = { "Idempotency-Key": key };
  const order_id = paidOrderOf(slot);
  if (order_id === null) {
    return unwrap(
      api.POST("/api/v1/orders", { params: { header }, body: body as OrderInput }),
    );
  }
  return unwrap(
    api.POST("/api/v1/orders/{order_id}/payments", {
      params: { path: { order_id }, header },
      body: body as PaymentInput,
    }),
  );
}
