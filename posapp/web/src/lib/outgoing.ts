import { useLiveQuery } from "dexie-react-hooks";
import { useEffect, useEffectEvent } from "react";
import { v4 as uuid } from "uuid";
import { ApiError } from "@/api/error";
import { database, type Outgoing } from "./database";

/**
 * The request of `slot` that the server has not yet answered, or a new one with its own key.
 *
 * While a response is outstanding the same key and body come back, whatever is on the screen: a
 * double tap, a second tab and a reload all repeat the first request and none makes another.
 *
 * @param write the body of a new request, read in the same transaction; null when there is nothing to send.
 */
export function claim(
  slot: string,
  write: () => Promise<unknown>,
): Promise<Outgoing | null> {
  return database.transaction("rw", database.outgoing, database.drafts, async () => {
    const waiting = await database.outgoing.get(slot);
    if (waiting) return waiting;
    const body = await write();
    if (body === null) return null;
    const fresh = { slot, key: uuid(), body, tries: 0 };
    await database.outgoing.add(fresh);
    return fresh;
  });
}

/** For `claim`: resume the request that awaits its response, and begin no new one. */
export const nothingNew = (): Promise<null> => Promise.resolve(null);

/** Once, on a page that opens: repeat by `resume` the request that was in flight when the last one closed. */
export function useResume(waiting: boolean, isIdle: boolean, resume: () => void): void {
  const interrupted = waiting && isIdle;
  const latest = useEffectEvent(resume);
  useEffect(() => {
    if (interrupted) latest();
  }, [interrupted]);
}

/** The request of `slot` that awaits its response, kept up to date; null when none does. */
export const useOutgoing = (slot: string): Outgoing | null =>
  useLiveQuery(async () => (await database.outgoing.get(slot)) ?? null, [slot], null);

/**
 * Send what `claim` gave until the server has answered, and forget the key only then.
 *
 * @param send carries out the request; throws `ApiError`.
 * @param settle what must happen together with forgetting the key, in one transaction with it.
 */
export async function deliver<T>(
  outgoing: Outgoing,
  send: (outgoing: Outgoing) => Promise<T>,
  settle: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const tries = await count(outgoing);
  try {
    const response = await send(outgoing);
    await forget(outgoing, settle);
    return response;
  } catch (error) {
    if (error instanceof ApiError && isRefusal(error, tries)) await forget(outgoing);
    throw error;
  }
}

/**
 * Whether the server has refused for good. A refusal before it read the request counts for the first try
 * alone: an earlier one may have been carried out, and a new key would then make a second order.
 */
function isRefusal(error: ApiError, tries: number): boolean {
  if (error.outcomeUnknown) return false;
  return tries <= 1 || !error.notProcessed;
}

function count({ slot }: Outgoing): Promise<number> {
  return database.transaction("rw", database.outgoing, async () => {
    const tries = ((await database.outgoing.get(slot))?.tries ?? 0) + 1;
    await database.outgoing.update(slot, { tries });
    return tries;
  });
}

/** Only the tab that still finds this very key settles: a later request of the slot is not its own. */
function forget({ slot, key }: Outgoing, settle?: () => Promise<unknown>): Promise<void> {
  return database.transaction("rw", database.outgoing, database.drafts, async () => {
    if ((await database.outgoing.get(slot))?.key !== key) return;
    await database.outgoing.delete(slot);
    await settle?.();
  });
}
