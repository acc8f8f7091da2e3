import { useSyncExternalStore } from "react";
import type { Tokens, User } from "./types";

/** The access token lives in memory only; the refresh token is what survives a reload. */
const STORAGE_KEY = "kenangan.refresh";
const LOCK = "kenangan.refresh";

export interface Session {
  accessToken: string;
  user: User;
}

let session: Session | null = null;
const listeners = new Set<() => void>();

function set(next: Session | null): void {
  session = next;
  for (const listener of listeners) listener();
}

export const currentSession = (): Session | null => session;
export const refreshToken = (): string | null => localStorage.getItem(STORAGE_KEY);

export function beginSession({ access_token, refresh_token, user }: Tokens): void {
  localStorage.setItem(STORAGE_KEY, refresh_token);
  set({ accessToken: access_token, user });
}

export function endSession(): void {
  localStorage.removeItem(STORAGE_KEY);
  set(null);
}

// Signed out in another tab is signed out here.
addEventListener("storage", ({ key, newValue }) => {
  if (key === STORAGE_KEY && newValue === null) set(null);
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useSession = (): Session | null => useSyncExternalStore(subscribe, currentSession);

/**
 * Run `work` while no other tab refreshes: a rotated token that is used twice ends the session.
 * Without secure context there are no locks, and one tab is all that is safe.
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? await locks.request(LOCK, work) : await work();
}
