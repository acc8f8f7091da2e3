import { useSyncExternalStore } from "react";

/** Whether the server answers, as the requests of this tab have found. */
let lastAnswer: number | null = null;
let lostSince: number | null = null;
const watchers = new Set<() => void>();
const returns = new Set<() => void>();

function set(next: number | null): void {
  if (next === lostSince) return;
  const isBack = next === null;
  lostSince = next;
  for (const watcher of watchers) watcher();
  if (isBack) for (const listener of returns) listener();
}

/** A request was answered, whatever the answer. */
export function heard(): void {
  lastAnswer = Date.now();
  set(null);
}

/** A request was answered by nobody, or by a proxy that has no server behind it. */
export function missed(): void {
  if (lostSince === null) set(lastAnswer ?? Date.now());
}

/** Call `listener` each time the server answers again; returns how to stop that. */
export function onContact(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** @returns milliseconds of the last answer while there is no contact; null while there is. */
export const useLostSince = (): number | null => useSyncExternalStore(subscribe, () => lostSince);
