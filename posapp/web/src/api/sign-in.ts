import { useSyncExternalStore } from "react";
import type { Tokens, User } from "./types";

/**
 * Who works on this device. The access token lives in memory only; the refresh token and the person's
 * name are what survives a reload, so that a page opens while the server is away.
 */
const REFRESH_KEY = "kenangan.refresh";
const USER_KEY = "kenangan.user";
const LOCK = "kenangan.refresh";

export interface Session {
  user: User | null;
  /** `ended`: the server has ended it, and `user` is who was at work; `left`: somebody signed out. */
  state: "none" | "in" | "ended" | "left";
  /** Whether another tab has put `user` in the place of somebody else, and nobody has seen it yet. */
  switched: boolean;
}

export const refreshToken = (): string | null => localStorage.getItem(REFRESH_KEY);

const NOBODY: Session = { user: null, state: "none", switched: false };
let accessToken: string | null = null;
let session: Session = remembered();
const watchers = new Set<() => void>();
const newcomers = new Set<() => void>();

/** Whoever was at work before a reload still is: the token is fetched with the first request. */
function remembered(): Session {
  const user = storedUser();
  return user && refreshToken() ? { user, state: "in", switched: false } : NOBODY;
}

function storedUser(): User | null {
  try {
    const user = JSON.parse(localStorage.getItem(USER_KEY) ?? "null") as Partial<User> | null;
    return typeof user?.id === "number" && user.role ? (user as User) : null;
  } catch {
    return null; // what somebody else wrote there
  }
}

let lastUser: number | null = session.user?.id ?? null;

function set(next: Session): void {
  session = next;
  const id = next.user?.id ?? null;
  const isAnother = id !== null && lastUser !== null && id !== lastUser;
  if (id !== null) lastUser = id;
  if (isAnother) for (const listener of newcomers) listener();
  for (const watcher of watchers) watcher();
}

export const currentUser = (): User | null => (session.state === "in" ? session.user : null);
export const currentAccessToken = (): string | null => accessToken;

/** Call `listener` when somebody else than before is at work; what was the former's is not theirs. */
export function onNewcomer(listener: () => void): () => void {
  newcomers.add(listener);
  return () => newcomers.delete(listener);
}

export function beginSignIn({ access_token, refresh_token, user }: Tokens): void {
  accessToken = access_token;
  localStorage.setItem(REFRESH_KEY, refresh_token);
  localStorage.setItem(USER_KEY, JSON.stringify(user));
  // A refresh is no news for anybody: the same session, told by the same object.
  if (session.state === "in" && session.user?.id === user.id && session.user.role === user.role) return;
  set({ user, state: "in", switched: false });
}

/** The server takes the tokens no more. The person is kept, so that the page can wait for them. */
export function endSignIn(): void {
  accessToken = null;
  localStorage.removeItem(REFRESH_KEY);
  set(session.user ? { ...session, state: "ended" } : NOBODY);
}

/** Somebody has signed out. */
export function leave(): void {
  accessToken = null;
  localStorage.removeItem(USER_KEY);
  localStorage.removeItem(REFRESH_KEY);
  set({ ...NOBODY, state: "left" });
}

/** Somebody has read who works here now. */
export const seen = (): void => set({ ...session, switched: false });

// What other tabs do holds here: a device is one person's at a time.
addEventListener("storage", ({ key }) => {
  if (key === REFRESH_KEY && !refreshToken()) {
    accessToken = null;
    const ended = session.user && storedUser();
    set(ended ? { ...session, state: "ended" } : { ...NOBODY, state: "left" });
  }
  const user = key === USER_KEY ? storedUser() : null;
  if (!user) return;
  const before = session.state === "left" ? null : session.user;
  if (session.state === "in" && before?.id === user.id) return;
  accessToken = null;
  set({ user, state: "in", switched: before !== null && before.id !== user.id });
});

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useSession = (): Session => useSyncExternalStore(subscribe, () => session);

/** Who is signed in; null while nobody is, and while a session that has ended waits for its person. */
export function useUser(): User | null {
  const { user, state } = useSession();
  return state === "in" ? user : null;
}

/**
 * Run `work` while no other tab refreshes: a rotated token that is used twice ends the sign-in.
 * Without secure context there are no locks, and one tab is all that is safe.
 */
export async function withRefreshLock<T>(work: () => Promise<T>): Promise<T> {
  const { locks } = navigator as { locks?: LockManager };
  return locks ? await locks.request(LOCK, work) : await work();
}
