import { Dexie } from "dexie";
import { useSyncExternalStore } from "react";

/** Whether this device has failed to keep something: a full disk, a private window, a lost connection. */
let fault: string | null = null;
const watchers = new Set<() => void>();

const NAMES = new Set([
  "QuotaExceededError",
  "DatabaseClosedError",
  "OpenFailedError",
  "MissingAPIError",
  "InvalidStateError",
  "UnknownError",
  "SecurityError",
  "VersionError",
]);

interface Named {
  name?: unknown;
  inner?: unknown;
}

/** @returns the name of the fault of the device's storage that `error` is, or null. */
export function storageFault(error: unknown): string | null {
  for (let each = error as Named | null | undefined; each; each = each.inner as Named | undefined) {
    if (typeof each.name === "string" && NAMES.has(each.name)) return each.name;
    if (!(each instanceof Dexie.DexieError)) return null;
  }
  return error instanceof Dexie.DexieError ? error.name : null;
}

function note(next: string | null): void {
  fault = next;
  for (const watcher of watchers) watcher();
}

/** Hear of every write that failed and that nobody waited for: taps do not wait for the disk. */
export function watchStorage(): void {
  addEventListener("unhandledrejection", (event) => {
    const found = storageFault(event.reason);
    if (found === null) return;
    event.preventDefault();
    note(found);
  });
}

export const forgetStorageFault = (): void => note(null);

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useStorageFault = (): string | null => useSyncExternalStore(subscribe, () => fault);
