import { useWindowEvent } from "@mantine/hooks";

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox])";
const FUNCTION_KEY = /^F\d+$/;
const PRESSABLE = "button, a";

const isBusy = (target: EventTarget | null, key: string): boolean => {
  if (document.querySelector("[role=dialog], dialog[open]")) return true;
  // Nobody writes a word with F8.
  if (!(target instanceof Element) || FUNCTION_KEY.test(key)) return false;
  return target.matches(TYPING) || (key === "Enter" && target.closest(PRESSABLE) !== null);
};

/**
 * Keys of a whole screen: `keys[event.key]` runs, unless someone is typing, a sheet is open, or
 * Enter belongs to the button that has the focus.
 */
export function useKeys(keys: Partial<Record<string, (() => void) | undefined>>): void {
  useWindowEvent("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target, event.key)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
