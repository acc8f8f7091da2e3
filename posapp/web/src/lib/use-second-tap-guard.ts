import { type CSSProperties, type SyntheticEvent, useEffect, useState } from "react";

/** Within this time a tap was meant for what was there before; people double-tap in 80 to 700 ms. */
export const SECOND_TAP_MS = 700;

interface GuardProps {
  style?: CSSProperties;
  onClickCapture?: (event: SyntheticEvent) => void;
}

const swallow = (event: SyntheticEvent): void => {
  event.preventDefault();
  event.stopPropagation();
};

/**
 * Let what has just appeared take no tap and no key for a moment: the second tap of a double tap, or
 * of somebody in a hurry, falls on whatever has come under the finger meanwhile.
 *
 * @param appeared changes when something new appears in a part that stays.
 * @returns props for the element around it.
 */
export function useSecondTapGuard(appeared: unknown = true): GuardProps {
  const [settled, setSettled] = useState<unknown>(NOTHING);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(appeared), SECOND_TAP_MS);
    return () => clearTimeout(timer);
  }, [appeared]);
  if (Object.is(settled, appeared)) return {};
  // The style is for fingers and pointers; Enter on a button with the focus is a click as well.
  return { style: { pointerEvents: "none" }, onClickCapture: swallow };
}

const NOTHING = Symbol("nothing has settled yet");
