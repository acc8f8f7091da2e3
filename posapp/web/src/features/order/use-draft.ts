import { useLiveQuery } from "dexie-react-hooks";
import { database, type Draft } from "@/lib/database";
import { emptyDraft, nextDraft } from "./draft";

export const ORDER_SLOT = "order";

/** A draft that an earlier version has written lacks what it did not know. */
const current = async (): Promise<Draft> => ({
  ...emptyDraft,
  ...(await database.drafts.get("current")),
});

/** The order being written, as every tab of this device sees it; undefined while it is read. */
export const useDraft = (): Draft | undefined => useLiveQuery(current);

/**
 * Change the order being written, in one transaction. While it is on its way to the server it
 * stands still: what is repeated must be what was sent.
 */
export function edit(change: (draft: Draft) => Draft): Promise<void> {
  return database.transaction("rw", database.drafts, database.outgoing, async () => {
    if (await database.outgoing.get(ORDER_SLOT)) return;
    await database.drafts.put(change(await current()));
  });
}

/** Return the draft to send, or null when it has no lines. */
export const readDraft = async (): Promise<Draft | null> => {
  const draft = await current();
  return draft.lines.length > 0 ? draft : null;
};

/** Begin anew for the next guest. */
export const resetDraft = async (): Promise<unknown> =>
  database.drafts.put(nextDraft(await current()));
