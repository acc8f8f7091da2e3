import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, unwrap } from "@/api/client";
import type { Order, OrderInput } from "@/api/types";
import { claim, deliver, useOutgoing } from "@/lib/outgoing";
import { toOrderInput } from "./draft";
import { ORDER_SLOT, readDraft, resetDraft } from "./use-draft";

async function sendOrder(): Promise<Order | null> {
  const outgoing = await claim(ORDER_SLOT, async () => {
    const draft = await readDraft();
    return draft && toOrderInput(draft);
  });
  if (!outgoing) return null;
  return deliver(
    outgoing,
    ({ key, body }) =>
      unwrap(
        api.POST("/api/v1/orders", {
          params: { header: { "Idempotency-Key": key } },
          body: body as OrderInput,
        }),
      ),
    resetDraft,
  );
}

/**
 * Send the order that is written here. One that was under way when the page was closed is sent
 * again at once, under its own key.
 */
export function useSendOrder() {
  const queries = useQueryClient();
  const { mutate, ...send } = useMutation({
    mutationFn: sendOrder,
    onSettled: () => queries.invalidateQueries({ queryKey: ["orders"] }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tables"] }),
  });
  const waiting = useOutgoing(ORDER_SLOT) !== null;
  const interrupted = waiting && send.isIdle;
  useEffect(() => {
    if (interrupted) mutate();
  }, [interrupted, mutate]);
  return { ...send, mutate, waiting };
}
