import { useEffect, useEffectEvent } from "react";

/** What the browser's Back closes before it leaves the page: the sheets that are open, topmost last. */
const open: { close: () => void }[] = [];

/** The entries of the history know how many sheets were open at most; the router keeps its own beside. */
const depth = (): number => (history.state as { sheets?: number } | null)?.sheets ?? 0;

interface Entry {
  index: number;
  url: string | null;
}

interface Navigation {
  currentEntry: Entry | null;
  addEventListener: (name: "currententrychange", listener: (event: { from: Entry }) => void) => void;
}

let before: Entry | null = null;
const navigation = (globalThis as { navigation?: Navigation }).navigation;
navigation?.addEventListener("currententrychange", ({ from }) => (before = from));

/** Whether the entry that was left is the spare one of a sheet on this very page, closed long ago. */
function leftSpareEntry(): boolean {
  const now = navigation?.currentEntry;
  return !!now && !!before && before.index === now.index + 1 && before.url === now.url;
}

globalThis.addEventListener("popstate", () => {
  const closing = open.splice(Math.min(depth(), open.length));
  for (const sheet of closing.reverse()) sheet.close();
  // Nobody sees that entry: the press was meant for the page before.
  if (closing.length === 0 && open.length === 0 && leftSpareEntry()) history.back();
});

/**
 * While the component is shown, Back closes it instead of leaving the page.
 *
 * Its entry of the history stays when it is closed in another way, for the next sheet: going back at
 * once would race with whatever the same tap does next.
 */
export function useBackCloses(shown: boolean, onClose: () => void): void {
  const close = useEffectEvent(onClose);
  useEffect(() => {
    if (!shown) return;
    const own = { close: () => close() };
    open.push(own);
    if (depth() < open.length) {
      history.pushState({ ...(history.state as object | null), sheets: open.length }, "");
    }
    return () => {
      const at = open.indexOf(own);
      if (at >= 0) open.splice(at, 1);
    };
  }, [shown]);
}
