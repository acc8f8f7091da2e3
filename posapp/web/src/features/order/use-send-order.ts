import { useEffect, useEffectEvent } from "react";
import { ApiError } from "@/api/error";
import type { Order, OrderInput } from "@/api/types";
import { ORDER_SLOT } from "@/lib/outgoing";
import { useOutgoingAct } from "@/lib/use-outgoing-act";
import { toOrderInput } from "./draft";
import { readDraft } from "./use-draft";

async function writeOrder(expectedTotal: number | null): Promise<OrderInput | null> {
  const draft = await readDraft();
  return draft && { ...toOrderInput(draft), expected_total: expectedTotal };
}

/**
 * Send the order that is written here. One whose answer is outstanding is sent again under its own
 * key, by itself or by a tap; what was answered is shown until this screen is left.
 */
export function useSendOrder() {
  const act = useOutgoingAct<OrderInput>(ORDER_SLOT);
  const sendNew = (expectedTotal: number | null) => act.submit(() => writeOrder(expectedTotal));
  const leave = useEffectEvent(act.reset);
  useEffect(() => () => leave(), []);
  const quoted = act.error instanceof ApiError && act.error.quote !== null;
  return {
    ...act,
    data: act.data as Order | null,
    waiting: act.waiting !== null,
    sendNew,
    /** The total on the screen when it was sent, where another one was the answer. */
    expectedTotal: quoted ? (act.body?.expected_total ?? null) : null,
  };
}
