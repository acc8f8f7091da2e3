import { useSyncExternalStore } from "react";
import type { Tokens, User } from "./types";

/** The access token lives in memory only; the refresh token is what survives a reload. */
const STORAGE_KEY = "kenangan.refresh";
const LOCK = "kenangan.refresh";

export interface SignIn {
  accessToken: string;
  user: User;
}

let signIn: SignIn | null = null;
const listeners = new Set<() => void>();

function set(next: SignIn | null): void {
  signIn = next;
  for (const listener of listeners) listener();
}

export const currentSignIn = (): SignIn | null => signIn;
export const refreshToken = (): string | null => localStorage.getItem(STORAGE_KEY);

export function beginSignIn({ access_token, refresh_token, user }: Tokens): void {
  localStorage.setItem(STORAGE_KEY, refresh_token);
  set({ accessToken: access_token, user });
}

export function endSignIn(): void {
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

export const useSignIn = (): SignIn | null => useSyncExternalStore(subscribe, currentSignIn);

/**
 * Run `work` while no other tab refreshes: a rotated token that is used twice ends the sign-in.
 * Without secure context there are no locks, and one tab is all that is safe.
 */
export async function withRefreshLock<T>(work: () => Promise<T>): Promise<T> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? await locks.request(LOCK, work) : await work();
}
