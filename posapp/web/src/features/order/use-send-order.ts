import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { Order, OrderInput } from "@/api/types";
import { claim, deliver, nothingNew, useOutgoing, useResume } from "@/lib/outgoing";
import { toOrderInput } from "./draft";
import { ORDER_SLOT, readDraft, resetDraft } from "./use-draft";

async function writeOrder(): Promise<OrderInput | null> {
  const draft = await readDraft();
  return draft && toOrderInput(draft);
}

/** @param what `"new"`, or `"again"` for the one alone whose response was lost. */
async function sendOrder(what: "new" | "again"): Promise<Order | null> {
  const outgoing = await claim(ORDER_SLOT, what === "new" ? writeOrder : nothingNew);
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
  const again = () => mutate("again");
  useResume(waiting, send.isIdle, again);
  return { ...send, waiting, again, sendNew: () => mutate("new") };
}
