import roles from "virtual:roles";
import type { operations } from "./schema";
import { useSession } from "./sign-in";
import type { Role } from "./types";

/** An act, by the name that the API's document has for it. */
export type Act = keyof operations;

/** Whether a role may do something: the API's own document says so, and the server asks again. */
export const may = (role: Role | undefined, act: Act): boolean =>
  roles[act] === null || (role !== undefined && (roles[act] ?? []).includes(role));

/**
 * @returns whether who is at work may do something; what may not be done is not offered. A session that
 * has ended leaves its page as it is.
 */
export function useMay(): (act: Act) => boolean {
  const role = useSession().user?.role;
  return (act) => may(role, act);
}
