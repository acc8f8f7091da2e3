import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { ApiError } from "@/api/error";
import type { Order, OrderInput } from "@/api/types";
import type { Draft } from "@/lib/database";
import { ORDER_SLOT } from "@/lib/outgoing";
import { useOutgoingAct } from "@/lib/use-outgoing-act";
import { toOrderInput, toQuoteInput } from "./draft";
import { edit, readDraft } from "./use-draft";
import { quoteOf } from "./use-quote";

/** The order that was on the screen with its total, in rupiah, when "send" was tapped. */
export interface Shown {
  body: OrderInput;
  total: number;
}

const isSame = (one: OrderInput, other: OrderInput): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** The total of a draft: as it was shown, or asked for where the screen was behind; null where nobody answers. */
async function totalOf(
  draft: Draft,
  shown: Shown | null,
  queries: QueryClient,
): Promise<number | null> {
  if (shown && isSame(shown.body, toQuoteInput(draft))) return shown.total;
  try {
    return (await queries.query(quoteOf(draft))).totals.total;
  } catch (error) {
    if (error instanceof ApiError && error.outcomeUnknown) return null;
    throw error;
  }
}

/** Price the order as it stands; returns how to write it, unless it is another by then. */
async function prepareOrder(shown: Shown | null, queries: QueryClient) {
  // After every tap that came before this one.
  await edit((before) => before);
  const draft = await readDraft();
  const total = draft && (await totalOf(draft, shown, queries));
  return async (): Promise<OrderInput | null> => {
    const now = await readDraft();
    if (!now || !draft || !isSame(toOrderInput(now), toOrderInput(draft))) return null;
    return { ...toOrderInput(now), expected_total: total };
  };
}

/**
 * Send the order that is written here. One whose answer is outstanding is sent again under its own
 * key, by itself or by a tap; what was answered is shown until this screen is left.
 */
export function useSendOrder() {
  const queries = useQueryClient();
  const act = useOutgoingAct<OrderInput>(ORDER_SLOT);
  const leave = useEffectEvent(act.reset);
  useEffect(() => () => leave(), []);
  const quoted = act.error instanceof ApiError && act.error.quote !== null;
  return {
    ...act,
    data: act.data as Order | null,
    waiting: act.waiting !== null,
    sendNew: (shown: Shown | null) => act.submit(() => prepareOrder(shown, queries)),
    /** The total on the screen when it was sent, where another one was the answer. */
    expectedTotal: quoted ? (act.body?.expected_total ?? null) : null,
  };
}
