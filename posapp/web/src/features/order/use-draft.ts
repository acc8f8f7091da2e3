import { useLiveQuery } from "dexie-react-hooks";
import { currentUser } from "@/api/sign-in";
import { database, type Draft, type Person } from "@/lib/database";
import { ORDER_SLOT } from "@/lib/outgoing";
import { emptyDraft } from "./draft";

const current = async (): Promise<Draft> => (await database.drafts.get("current")) ?? emptyDraft;

/** The order being written, as every tab of this device sees it; undefined while it is read. */
export const useDraft = (): Draft | undefined => useLiveQuery(current);

function writer(): Person | null {
  const user = currentUser();
  return user && { id: user.id, name: user.name };
}

/**
 * Change the order being written, in one transaction. While it is on its way to the server it
 * stands still: what is repeated must be what was sent.
 */
export function edit(change: (draft: Draft) => Draft): Promise<void> {
  return database.transaction("rw", database.drafts, database.outgoing, async () => {
    if (await database.outgoing.get(ORDER_SLOT)) return;
    const draft = change(await current());
    await database.drafts.put({ ...draft, by: draft.lines.length > 0 ? (draft.by ?? writer()) : null });
  });
}

/** Return the draft to send, or null when it has no lines. */
export const readDraft = async (): Promise<Draft | null> => {
  const draft = await current();
  return draft.lines.length > 0 ? draft : null;
};

/** Begin anew with the same type of order. */
export const resetDraft = async (): Promise<unknown> => {
  const { type } = await current();
  return database.drafts.put({ ...emptyDraft, type });
};
