import { type KeyboardEvent, useEffect, useRef } from "react";

type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

interface Box {
  x: number;
  y: number;
  height: number;
}

const boxOf = (element: HTMLElement): Box => {
  const { left, width, top, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2, height };
};

/** How far `to` lies from `from` in a direction; null when it lies elsewhere. */
function distance(from: Box, to: Box, direction: Direction): number | null {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const sameRow = Math.abs(dy) < from.height / 2;
  if (direction === "ArrowLeft" || direction === "ArrowRight") {
    const ahead = direction === "ArrowRight" ? dx : -dx;
    return sameRow && ahead > 1 ? ahead : null;
  }
  const ahead = direction === "ArrowDown" ? dy : -dy;
  // The nearest row first, and in it whatever stands most nearly above or below.
  return !sameRow && ahead > 0 ? Math.round(ahead) * 10_000 + Math.abs(dx) : null;
}

/** The element to which an arrow leads; at the end of a row, the next or the one before. */
export function neighbour(
  items: HTMLElement[],
  current: HTMLElement,
  key: string,
): HTMLElement | undefined {
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (!key.startsWith("Arrow")) return undefined;
  const from = boxOf(current);
  const reachable = items
    .map((item) => ({ item, far: distance(from, boxOf(item), key as Direction) }))
    .filter((one): one is { item: HTMLElement; far: number } => one.far !== null)
    .sort((one, other) => one.far - other.far);
  const at = items.indexOf(current);
  const along = { ArrowRight: items[at + 1], ArrowLeft: items[at - 1] }[key];
  return reachable[0]?.item ?? along;
}

/**
 * One stop of the Tab key for a whole grid or group, and arrows within it (ARIA's roving tabindex).
 *
 * @param selector finds what can have the focus.
 * @param onMove is told where an arrow has led, for groups where moving chooses.
 * @returns props for the element around them.
 */
export function useRovingFocus<T extends HTMLElement>(
  selector: string,
  onMove?: (to: HTMLElement) => void,
) {
  const around = useRef<T>(null);
  const items = () => [...(around.current?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const last = useRef<HTMLElement>(undefined);
  const stopAt = (stop: HTMLElement | undefined) => {
    last.current = stop;
    for (const item of items()) {
      const index = item === stop ? 0 : -1;
      if (item.getAttribute("tabindex") !== String(index)) item.tabIndex = index;
    }
  };
  /** Nothing has come since, and nothing is chosen: of hundreds of items none has to be looked at. */
  const isSettled = () => {
    const [group, stop] = [around.current, last.current];
    const news = `${selector}:not([tabindex]), [aria-checked=true], [aria-pressed=true]`;
    return stop?.matches(":enabled") && group?.contains(stop) && !group.querySelector(news);
  };
  useEffect(() => {
    if (isSettled()) return;
    const all = items();
    const wanted = [
      (item: HTMLElement) => item === document.activeElement,
      (item: HTMLElement) => item.matches("[aria-checked=true], [aria-pressed=true]"),
      (item: HTMLElement) => item === last.current,
      () => true,
    ];
    stopAt(wanted.map((is) => all.find(is)).find(Boolean));
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const current = items().find((item) => item === event.target);
    const next = current && neighbour(items(), current, event.key);
    if (!next) return;
    event.preventDefault();
    stopAt(next);
    next.focus();
    onMove?.(next);
  };
  return { ref: around, onKeyDown };
}
