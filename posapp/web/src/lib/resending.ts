import type { Outgoing } from "./database";

/** When a request that awaits its answer is sent again without anybody's doing: rules, no clock. */

const FIRST = 1_000;
const LONGEST = 30_000;

/** A payment of hours ago is nobody's wish any more: somebody has to say so again. */
export const OWN_WISH_MS = 60 * 60_000;

/**
 * The wait before the next try: doubled each time, and spread, so that all tills of a house do not
 * come back in one moment.
 *
 * @param failures tries that failed in a row, from 1.
 * @param chance from 0 to 1.
 * @returns milliseconds.
 */
export function resendDelay(failures: number, chance: number): number {
  const whole = Math.min(LONGEST, FIRST * 2 ** (failures - 1));
  return whole / 2 + (whole / 2) * chance;
}

/** Whether it may go out by itself: it is this person's own, of this hour, and nobody has refused it. */
export function goesByItself({ by, since, refusal }: Outgoing, userId: number | null, now: number): boolean {
  if (userId === null || by?.id !== userId || since === undefined || refusal) return false;
  const age = now - since;
  return age >= 0 && age < OWN_WISH_MS;
}
