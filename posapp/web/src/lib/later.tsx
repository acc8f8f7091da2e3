import { type ComponentType, lazy, useState, useSyncExternalStore } from "react";

const loads: (() => Promise<unknown>)[] = [];
const listeners = new Set<() => void>();
let restIsHere = false;

const GRACE = { tries: 5, ms: 2_000 };
const AGAIN_MS = 15_000;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Tries for a while: the network may be back in a moment. */
async function persist<T>(fetch: () => Promise<T>, tries = GRACE.tries): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (tries <= 1) throw error;
    await pause(GRACE.ms);
    return persist(fetch, tries - 1);
  }
}

/**
 * A component that the first picture can do without, in a chunk of its own. Once that is here it is drawn
 * at once, as any other: what is typed on is not lost.
 *
 * @param name under which the module that `load` imports exports it.
 */
export function later<Name extends string, Props extends object>(
  name: Name,
  load: () => Promise<Record<Name, ComponentType<Props>>>,
) {
  let part: ComponentType<Props> | null = null;
  const fetch = async () => (part = (await load())[name]);
  const Awaited = lazy(async () => ({ default: await persist(fetch) }));
  loads.push(fetch);
  return function Later(props: Props) {
    // The same while it is shown, or it would begin anew.
    const [Part] = useState(() => part ?? (Awaited as ComponentType<Props>));
    return <Part {...props} />;
  };
}

/**
 * Fetch all of it, until it is here: a till without a server must still open every screen, and one whose
 * server has a newer release finds its own parts there no more.
 */
export async function fetchTheRest(): Promise<void> {
  try {
    await Promise.all(loads.map((load) => load()));
  } catch {
    setTimeout(() => void fetchTheRest(), AGAIN_MS);
    return;
  }
  restIsHere = true;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Whether all parts are here, and what nobody has asked for may begin. */
export const useRestIsHere = (): boolean => useSyncExternalStore(subscribe, () => restIsHere);
