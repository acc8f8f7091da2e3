import { useWindowEvent } from "@mantine/hooks";

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox])";
const FUNCTION_KEY = /^F\d+$/;
const PRESSABLE = "button, a";

/** What keeps its Enter also where the screen takes it: ways to another page, and what says so. */
const OWN_ENTER = "a, [data-own-enter], header button";

const isBusy = (target: EventTarget | null, key: string, takesEnter: boolean): boolean => {
  if (document.querySelector("[role=dialog], dialog[open]")) return true;
  // Nobody writes a word with F8.
  if (!(target instanceof Element) || FUNCTION_KEY.test(key)) return false;
  const pressable = takesEnter ? OWN_ENTER : PRESSABLE;
  return target.matches(TYPING) || (key === "Enter" && target.closest(pressable) !== null);
};

/**
 * Keys of a whole screen: `keys[event.key]` runs, unless someone is typing, a sheet is open, or
 * Enter belongs to the button that has the focus. A held Enter is one.
 *
 * @param takesEnter on a screen where Enter means one thing, whichever button was used last.
 */
export function useKeys(
  keys: Partial<Record<string, (() => void) | undefined>>,
  takesEnter = false,
): void {
  useWindowEvent("keydown", (event) => {
    // Taken already: by a sheet that has closed meanwhile, say.
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isBusy(event.target, event.key, takesEnter)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key !== "Enter" || !event.repeat) act();
  });
}
