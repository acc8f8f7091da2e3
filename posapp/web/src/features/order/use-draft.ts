import { replaceEqualDeep } from "@tanstack/react-query";
import { useLiveQuery } from "dexie-react-hooks";
import { useSyncExternalStore } from "react";
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

type Change = (draft: Draft) => Draft;

// What was read or written last, what is not written yet, and both as the screen shows them.
let kept: Draft | undefined;
let readMeanwhile: Draft | undefined;
let shown: Draft | undefined;
const unwritten: Change[] = [];
const watchers = new Set<() => void>();

function show(): void {
  if (!kept) return;
  // What has not changed stays the same object, so that a tap draws the one line that it is about.
  shown = replaceEqualDeep(shown, unwritten.reduce((draft, change) => change(draft), kept));
  for (const watcher of watchers) watcher();
}

/** A draft that was read while changes wait may lack them or have them: the last one written tells. */
async function read(): Promise<true> {
  const draft = await current();
  if (unwritten.length > 0) readMeanwhile = draft;
  else kept = draft;
  show();
  return true;
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/**
 * The order being written, as every tab of this device sees it, with what was changed here and is on
 * its way to the storage; undefined while it is read.
 */
export function useDraft(): Draft | undefined {
  const isRead = useLiveQuery(read, [], false);
  const draft = useSyncExternalStore(subscribe, () => shown);
  return isRead ? draft : undefined;
}

function writer(): Person | null {
  const user = currentUser();
  return user && { id: user.id, name: user.name };
}

/** The order before a change and after it. */
interface Edited {
  before: Draft;
  after: Draft;
}

/**
 * Change the order being written, in one transaction; the screen shows the change at once, and takes it
 * back when it cannot be kept. While the order is on its way to the server it stands still: what is
 * repeated must be what was sent.
 *
 * @param change gives the same answer for the same draft, and does nothing else: it is asked more than once.
 * @returns what was changed; null when the order stands still.
 */
export async function edit(change: Change): Promise<Edited | null> {
  unwritten.push(change);
  show();
  try {
    // Awaited here, for Dexie's own promises keep silent about what nobody has caught.
    const edited = await write(change);
    if (edited) [kept, readMeanwhile] = [edited.after, undefined];
    return edited;
  } finally {
    unwritten.splice(unwritten.indexOf(change), 1);
    kept = readMeanwhile ?? kept;
    readMeanwhile = undefined;
    show();
  }
}

const write = (change: Change): Promise<Edited | null> =>
  database.transaction("rw", database.drafts, database.outgoing, async () => {
    // Asked side by side: a tap waits for each answer.
    const [sending, before] = await Promise.all([database.outgoing.get(ORDER_SLOT), current()]);
    if (sending) return null;
    const draft = change(before);
    const after = { ...draft, by: draft.lines.length > 0 ? (draft.by ?? writer()) : null };
    await database.drafts.put(after);
    return { before, after };
  });

const UNWRITTEN = "kenangan.unwritten";

/**
 * Keep also what was tapped right before the page goes: the storage gives up what it has not written by
 * then. It waits in a place of its own, and is written when the page comes again.
 */
export function keepLastTaps(): void {
  addEventListener("pagehide", () => {
    if (unwritten.length > 0) localStorage.setItem(UNWRITTEN, JSON.stringify([kept, shown]));
  });
  const left = localStorage.getItem(UNWRITTEN);
  if (left === null) return;
  localStorage.removeItem(UNWRITTEN);
  const [before, after] = JSON.parse(left) as [Draft | null, Draft | null];
  // Only on top of what it was written on: it may have been kept all the same, or another tab was here.
  void edit((draft) => (after && replaceEqualDeep(before, draft) === before ? { ...emptyDraft, ...after } : draft));
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
