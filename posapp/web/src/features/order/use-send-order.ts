import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import type { Order, OrderInput } from "@/api/types";
import { claim, deliver, nothingNew, useOutgoing, useResume } from "@/lib/outgoing";
import { toOrderInput } from "./draft";
import { ORDER_SLOT, readDraft, resetDraft } from "./use-draft";

/** A new order at the total that was on the screen, if one was; or again the one whose response was lost. */
type Sending = { expectedTotal: number | null } | "again";

async function writeOrder(expectedTotal: number | null): Promise<OrderInput | null> {
  const draft = await readDraft();
  return draft && { ...toOrderInput(draft), expected_total: expectedTotal };
}

async function sendOrder(what: Sending): Promise<Order | null> {
  const write = what === "again" ? nothingNew : () => writeOrder(what.expectedTotal);
  const outgoing = await claim(ORDER_SLOT, write);
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
    onError: async (error) => {
      if (!(error instanceof ApiError && error.quote)) return;
      await queries.invalidateQueries({ queryKey: ["quote"] });
      await queries.invalidateQueries({ queryKey: ["menu"] });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tables"] }),
  });
  const waiting = useOutgoing(ORDER_SLOT) !== null;
  const again = () => mutate("again");
  useResume(waiting, send.isIdle, again);
  const sendNew = (expectedTotal: number | null) => mutate({ expectedTotal });
  const { variables } = send;
  const expectedTotal = typeof variables === "object" ? variables.expectedTotal : null;
  return { ...send, waiting, again, sendNew, expectedTotal };
}
