import { useSyncExternalStore } from "react";
import { ApiError } from "@/api/error";
import { sendAct } from "@/api/acts";
import { onContact } from "@/api/contact";
import { afterPriceChange, afterSale } from "@/api/keys";
import { queryClient } from "@/api/queries";
import { currentUser } from "@/api/sign-in";
import type { Outcome } from "@/api/types";
import type { Outgoing } from "./database";
import { allOutgoing, claim, deliver, forget, nothingNew, ORDER_SLOT, park, settleWith } from "./outgoing";
import { goesByItself, resendDelay } from "./resending";

/** The one place through which what moves money or food goes out, and goes out again. */

/** What this tab knows of its tries at a slot. */
export interface Attempt {
  sending: boolean;
  error: Error | null;
  /** What the last try sent. */
  body: unknown;
  /** Tries in a row that nobody has answered. */
  failures: number;
}

/** What must happen together with the answer of a slot, in one transaction with it. */
type Settle = (slot: string, answer: unknown) => Promise<unknown>;

const IDLE: Attempt = { sending: false, error: null, body: null, failures: 0 };
const attempts = new Map<string, Attempt>();
const timers = new Map<string, ReturnType<typeof setTimeout>>();
const watchers = new Set<() => void>();
let settle: Settle = () => Promise.resolve();

const attemptOf = (slot: string): Attempt => attempts.get(slot) ?? IDLE;

function note(slot: string, attempt: Attempt): void {
  attempts.set(slot, attempt);
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useAttempt = (slot: string): Attempt =>
  useSyncExternalStore(subscribe, () => attemptOf(slot));

export const forgetAttempt = (slot: string): void => note(slot, IDLE);

/**
 * Send the request of `slot` that awaits its answer, or a new one. What becomes of it stands in the
 * attempt and the answer of the slot.
 *
 * @param prepare gives how a new one is written, which is read in one transaction with its key.
 */
export async function submit(
  slot: string,
  prepare: () => Promise<() => Promise<unknown>> = () => Promise.resolve(nothingNew),
  number: number | null = null,
): Promise<void> {
  const before = attemptOf(slot);
  if (before.sending) return; // the second of a double tap
  note(slot, { ...before, sending: true, error: before.failures > 0 ? before.error : null });
  try {
    const write = await prepare();
    const user = currentUser();
    const by = user && { id: user.id, name: user.name };
    const outgoing = await claim(slot, write, { by, number });
    if (outgoing) {
      note(slot, { ...attemptOf(slot), body: outgoing.body });
      await deliver(outgoing, sendAndSpoil, (answer) => settle(slot, answer));
    }
    note(slot, { ...IDLE, body: outgoing?.body ?? null });
  } catch (error) {
    failed(slot, error instanceof Error ? error : new Error(String(error)));
  }
}

async function sendAndSpoil(outgoing: Outgoing): Promise<unknown> {
  try {
    return await sendAct(outgoing);
  } finally {
    afterSale(queryClient);
  }
}

function failed(slot: string, error: Error): void {
  const { body, failures } = attemptOf(slot);
  const isUnknown = error instanceof ApiError && error.outcomeUnknown;
  note(slot, { sending: false, error, body, failures: isUnknown ? failures + 1 : 0 });
  if (error instanceof ApiError && error.quote) afterPriceChange(queryClient);
  if (!isUnknown) return;
  clearTimeout(timers.get(slot));
  const wait = resendDelay(failures + 1, Math.random());
  timers.set(slot, setTimeout(() => void resendOwn(slot), wait));
}

/** Until no try at a slot is under way. */
async function tryHasEnded(slot: string): Promise<void> {
  while (attemptOf(slot).sending) {
    await new Promise<void>((done) => {
      const leave = subscribe(() => {
        leave();
        done();
      });
    });
  }
}

/**
 * Let the order that awaits its answer go on by itself, and make room for the next: once the try that is
 * under way has ended, and if it had no answer.
 *
 * @param begin what must happen together with it.
 */
export async function parkOrder(begin: () => Promise<unknown>): Promise<void> {
  await tryHasEnded(ORDER_SLOT);
  const slot = await park(begin);
  if (slot === null) return;
  forgetAttempt(ORDER_SLOT);
  await resendOwn(slot);
}

/** Send again what goes by itself: the request of `slot`, or all. */
async function resendOwn(slot?: string): Promise<void> {
  const userId = currentUser()?.id ?? null;
  for (const outgoing of await allOutgoing()) {
    if (slot !== undefined && outgoing.slot !== slot) continue;
    if (goesByItself(outgoing, userId, Date.now())) await submit(outgoing.slot);
  }
}

/**
 * Begin to send by itself what awaits its answer: now, when the server is heard again, and when this
 * device is online again or looked at again.
 */
export function startOutbox(settled: Settle): void {
  settle = settled;
  const wake = () => void resendOwn();
  onContact(wake);
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
  wake();
}

/** The server has said what became of a request whose answer never came: done, or given up. */
export async function takeOutcome(outgoing: Outgoing, { state, answer }: Outcome): Promise<void> {
  if (state === "done") await settleWith(outgoing, answer, (done) => settle(outgoing.slot, done));
  else await forget(outgoing);
  forgetAttempt(outgoing.slot);
  afterSale(queryClient);
}
