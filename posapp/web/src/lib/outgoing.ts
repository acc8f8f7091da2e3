import { useLiveQuery } from "dexie-react-hooks";
import { v4 as uuid } from "uuid";
import { ApiError } from "@/api/error";
import { type Answered, database, type Outgoing, type Person } from "./database";

export const ORDER_SLOT = "order";
export const paymentSlot = (orderId: number): string => `payment:${orderId}`;

/** @returns the id of the order that a slot's payment is of; null for the slot of orders. */
export const paidOrderOf = (slot: string): number | null =>
  slot.startsWith("payment:") ? Number(slot.slice("payment:".length)) : null;

/** Whether a slot is of an order that goes on beside the one that is written now. */
export const isParkedOrder = (slot: string): boolean => slot.startsWith(`${ORDER_SLOT}:`);

/** What a request is claimed with, beside its body. */
export interface About {
  by: Person | null;
  number?: number | null;
}

/**
 * The request of `slot` that the server has not yet answered, or a new one with its own key.
 *
 * While a response is outstanding the same key and body come back, whatever is on the screen: a
 * double tap, a second tab and a reload all repeat the first request and none makes another. A new
 * one begins the next sale: the answers of those before are forgotten.
 *
 * @param write the body of a new request, read in the same transaction; null when there is nothing to send.
 */
export function claim(
  slot: string,
  write: () => Promise<unknown>,
  about: About = { by: null },
): Promise<Outgoing | null> {
  const { outgoing, drafts, answers } = database;
  return database.transaction("rw", outgoing, drafts, answers, async () => {
    const waiting = await outgoing.get(slot);
    if (waiting) return waiting;
    const body = await write();
    if (body === null) return null;
    const fresh = { slot, key: uuid(), body, tries: 0, since: Date.now(), number: null, ...about };
    await outgoing.add(fresh);
    await answers.clear();
    return fresh;
  });
}

/**
 * Make room for the next order: the one that awaits its answer goes on under the same key, in a slot of
 * its own. A tab that is at it all the same finds nothing to settle, and the answer comes once more.
 *
 * @param begin what must happen together with it.
 * @returns the new slot; null when no order awaits its answer.
 */
export function park(begin: () => Promise<unknown>): Promise<string | null> {
  const { outgoing, drafts } = database;
  return database.transaction("rw", outgoing, drafts, async () => {
    const waiting = await outgoing.get(ORDER_SLOT);
    if (!waiting) return null;
    const slot = `${ORDER_SLOT}:${waiting.key}`;
    await outgoing.add({ ...waiting, slot });
    await outgoing.delete(ORDER_SLOT);
    await begin();
    return slot;
  });
}

/** For `claim`: resume the request that awaits its response, and begin no new one. */
export const nothingNew = (): Promise<null> => Promise.resolve(null);

/** The request of `slot` that awaits its response, kept up to date; null when none does. */
export const useOutgoing = (slot: string): Outgoing | null =>
  useLiveQuery(async () => (await database.outgoing.get(slot)) ?? null, [slot], null);

/** Every request that awaits its response, the oldest first. */
export const useAllOutgoing = (): Outgoing[] =>
  useLiveQuery(allOutgoing, [], []).toSorted((one, other) => (one.since ?? 0) - (other.since ?? 0));

export const allOutgoing = (): Promise<Outgoing[]> => database.outgoing.toArray();

/** The answer to the last request of `slot`; null when there is none, undefined while it is read. */
export const useAnswer = (slot: string): Answered | null | undefined =>
  useLiveQuery(async () => (await database.answers.get(slot)) ?? null, [slot]);

/** The answers of the last sale. */
export const useAnswers = (): Answered[] => useLiveQuery(() => database.answers.toArray(), [], []);

export const forgetAnswer = (slot: string): Promise<void> => database.answers.delete(slot);

/**
 * Send what `claim` gave until the server has answered, and forget the key only then.
 *
 * @param send carries out the request; throws `ApiError`.
 * @param settle what must happen together with forgetting the key, in one transaction with it.
 */
export async function deliver<T>(
  outgoing: Outgoing,
  send: (outgoing: Outgoing) => Promise<T>,
  settle: (answer: T) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const tries = await count(outgoing);
  try {
    const response = await send(outgoing);
    await settleWith(outgoing, response, settle);
    return response;
  } catch (error) {
    if (error instanceof ApiError && isRefusal(error, tries)) await takeRefusal(outgoing, error);
    throw error;
  }
}

/** Keep the answer of a request, and forget its key. */
export const settleWith = <T>(
  outgoing: Outgoing,
  answer: T,
  settle: (answer: T) => Promise<unknown>,
): Promise<void> =>
  forget(outgoing, async () => {
    const { slot, key, by = null, number = null } = outgoing;
    await database.answers.put({ slot, key, answer, at: Date.now(), by, number });
    await settle(answer);
  });

/** What is refused is forgotten, and stands on the screen; a parked order stands nowhere else, and is kept. */
async function takeRefusal(outgoing: Outgoing, error: ApiError): Promise<void> {
  if (!isParkedOrder(outgoing.slot)) return forget(outgoing);
  const { status, detail, code, params } = error;
  await database.outgoing.update(outgoing.slot, { refusal: { status, detail, code, params } });
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
export function forget({ slot, key }: Outgoing, settle?: () => Promise<unknown>): Promise<void> {
  const { outgoing, drafts, answers } = database;
  return database.transaction("rw", outgoing, drafts, answers, async () => {
    if ((await outgoing.get(slot))?.key !== key) return;
    await outgoing.delete(slot);
    await settle?.();
  });
}
