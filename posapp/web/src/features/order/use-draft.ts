import { replaceEqualDeep } from "@tanstack/react-query";
import { useLiveQuery } from "dexie-react-hooks";
import { currentUser } from "@/api/sign-in";
import type { Order, OrderInput } from "@/api/types";
import { database, type Draft, type Outgoing, type Person } from "@/lib/database";
import { parkOrder } from "@/lib/outbox";
import { ORDER_SLOT } from "@/lib/outgoing";
import { emptyDraft, fromOrderInput, nextDraft, rememberSent } from "./draft";

/** A draft that an earlier version has written lacks what it did not know. */
const current = async (): Promise<Draft> => ({
  ...emptyDraft,
  ...(await database.drafts.get("current")),
});

let shown: Draft | undefined;

/** What has not changed stays the same object, so that a tap draws the one line that it is about. */
const read = async (): Promise<Draft> => (shown = replaceEqualDeep(shown, await current()));

/** The order being written, as every tab of this device sees it; undefined while it is read. */
export const useDraft = (): Draft | undefined => useLiveQuery(read);

function writer(): Person | null {
  const user = currentUser();
  return user && { id: user.id, name: user.name };
}

/**
 * Change the order being written, in one transaction. While it is on its way to the server it
 * stands still: what is repeated must be what was sent.
 */
export async function edit(change: (draft: Draft) => Draft): Promise<void> {
  // Awaited here, for Dexie's own promises keep silent about what nobody has caught.
  await database.transaction("rw", database.drafts, database.outgoing, async () => {
    // Asked side by side: a tap waits for each answer.
    const [sending, before] = await Promise.all([database.outgoing.get(ORDER_SLOT), current()]);
    if (sending) return;
    const draft = change(before);
    await database.drafts.put({ ...draft, by: draft.lines.length > 0 ? (draft.by ?? writer()) : null });
  });
}

/** Return the draft to send, or null when it has no lines. */
export const readDraft = async (): Promise<Draft | null> => {
  const draft = await current();
  return draft.lines.length > 0 ? draft : null;
};

/** `order` was sent: begin anew for the next guest, and remember it. */
export const resetDraft = async (order: Order): Promise<unknown> =>
  database.drafts.put(rememberSent(nextDraft(await current()), order));

/** A parked order was taken: what is being written meanwhile goes on. */
export const rememberParked = async (order: Order): Promise<unknown> =>
  database.drafts.put(rememberSent(await current(), order));

/** Write the next order while the one that was sent awaits its answer. */
export const beginNext = (): Promise<void> =>
  parkOrder(async () => database.drafts.put(nextDraft(await current())));

/** Take a parked order that was refused back, to be changed; nothing happens while another is being written. */
export async function writeAgain({ slot, body, by = null }: Outgoing): Promise<void> {
  await database.transaction("rw", database.drafts, database.outgoing, async () => {
    const { lines, lastSent } = await current();
    if (lines.length > 0 || (await database.outgoing.get(ORDER_SLOT))) return;
    await database.drafts.put({ ...fromOrderInput(body as OrderInput, lastSent), by });
    await database.outgoing.delete(slot);
  });
}
