import { type MouseEvent, useEffect, useState } from "react";

/** Within this time a tap was meant for what was there before; people double-tap in 80 to 700 ms. */
export const SECOND_TAP_MS = 700;

/** What somebody did last: where a finger was put down or whether by a key, and the how-manieth act it was. */
interface Act {
  x: number;
  y: number;
  byKey: boolean;
  acts: number;
  held: boolean;
}

let last: Act = { x: 0, y: 0, byKey: false, acts: 0, held: false };
globalThis.addEventListener(
  "pointerdown",
  ({ clientX: x, clientY: y }) => {
    last = { x, y, byKey: false, acts: last.acts + 1, held: false };
  },
  true,
);
globalThis.addEventListener(
  "keydown",
  ({ repeat }) => {
    last = { ...last, byKey: true, acts: last.acts + (repeat ? 0 : 1), held: repeat };
  },
  true,
);

export interface Place {
  x: number;
  y: number;
}

const NOTHING = Symbol("nothing has settled yet");

/**
 * Let what has just appeared take, for a moment, no tap at the place of the one that made it appear,
 * and not the same key again: the second tap of a double tap, or of somebody in a hurry, falls on
 * whatever has come under the finger meanwhile. What is done elsewhere is meant, and counts at once.
 *
 * @param appeared changes when something new appears in a part that stays.
 * @returns the place to be covered meanwhile, or null; and what the element around it does with clicks.
 */
export function useSecondTapGuard(appeared: unknown = true) {
  const [seen, setSeen] = useState<unknown>(NOTHING);
  const [opener, setOpener] = useState(last);
  const [settled, setSettled] = useState<unknown>(NOTHING);
  if (!Object.is(seen, appeared)) {
    setSeen(appeared);
    setOpener(last);
  }
  useEffect(() => {
    const timer = setTimeout(() => setSettled(appeared), SECOND_TAP_MS);
    return () => clearTimeout(timer);
  }, [appeared]);
  const active = !Object.is(settled, appeared);
  const onClickCapture = (event: MouseEvent) => {
    const again = active && opener.byKey && last.acts <= opener.acts + 1;
    if (event.detail > 0 || !(again || last.held)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const cover: Place | null = active && !opener.byKey ? { x: opener.x, y: opener.y } : null;
  return { cover, onClickCapture };
}
