import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import type { Order, OrderInput } from "@/api/types";
import type { Draft } from "@/lib/database";
import { claim, deliver, nothingNew, useOutgoing, useResume } from "@/lib/outgoing";
import { rememberSent, toOrderInput, toQuoteInput } from "./draft";
import { edit, ORDER_SLOT, readDraft, resetDraft } from "./use-draft";
import { quoteOf } from "./use-quote";

/** The order that was on the screen with its total, in rupiah, when "send" was tapped. */
export interface Shown {
  body: OrderInput;
  total: number;
}

/** A new order, with what was shown of it if that was the server's word; or again one whose response was lost. */
type Sending = Shown | "unpriced" | "again";

const isSame = (one: OrderInput, other: OrderInput): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** The total of a draft: as it was shown, or asked for where the screen was behind; null where nobody answers. */
async function totalOf(draft: Draft, what: Sending, queries: QueryClient): Promise<number | null> {
  if (typeof what === "object" && isSame(what.body, toQuoteInput(draft))) return what.total;
  try {
    return (await queries.query(quoteOf(draft))).totals.total;
  } catch (error) {
    if (error instanceof ApiError && error.outcomeUnknown) return null;
    throw error;
  }
}

/** Claim the order as it stands, at the total of just this order; null where there is nothing to send. */
async function claimOrder(what: Sending, queries: QueryClient) {
  if (what === "again") return claim(ORDER_SLOT, nothingNew);
  const draft = await readDraft();
  const total = draft && (await totalOf(draft, what, queries));
  return claim(ORDER_SLOT, async () => {
    const now = await readDraft();
    if (!now || !draft || !isSame(toOrderInput(now), toOrderInput(draft))) return null;
    return { ...toOrderInput(now), expected_total: total };
  });
}

async function sendOrder(what: Sending, queries: QueryClient): Promise<Order | null> {
  const outgoing = await claimOrder(what, queries);
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
    mutationFn: (what: Sending) => sendOrder(what, queries),
    // Not awaited: the number is known, and nobody waits for other lists.
    onSettled: () => void queries.invalidateQueries({ queryKey: ["orders"] }),
    onError: (error) => {
      if (!(error instanceof ApiError && error.quote)) return;
      void queries.invalidateQueries({ queryKey: ["quote"] });
      void queries.invalidateQueries({ queryKey: ["menu"] });
    },
    onSuccess: (order) => {
      void queries.invalidateQueries({ queryKey: ["tables"] });
      if (order) void edit((draft) => rememberSent(draft, order));
    },
  });
  const waiting = useOutgoing(ORDER_SLOT) !== null;
  const again = () => mutate("again");
  useResume(waiting, send.isIdle, again);
  const sendNew = (shown: Shown | null) => mutate(shown ?? "unpriced");
  const { variables } = send;
  const expectedTotal = typeof variables === "object" ? variables.total : null;
  return { ...send, waiting, again, sendNew, expectedTotal };
}
