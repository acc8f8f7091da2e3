import { type RefObject, useLayoutEffect, useRef } from "react";
import { NavigationType, useLocation, useNavigationType } from "react-router";

/** How far each visit of a page was scrolled, for whoever comes back to it. */
const places = new Map<string, number>();

/** @returns the ref of what scrolls: back where it was after Back, at the top of a new page. */
export function useKeptScroll(): RefObject<HTMLElement | null> {
  const scrolled = useRef<HTMLElement>(null);
  const { key } = useLocation();
  const isBack = useNavigationType() === NavigationType.Pop;
  useLayoutEffect(() => {
    const element = scrolled.current;
    if (!element) return undefined;
    element.scrollTop = isBack ? (places.get(key) ?? 0) : 0;
    const note = () => places.set(key, element.scrollTop);
    element.addEventListener("scroll", note, { passive: true });
    return () => element.removeEventListener("scroll", note);
  }, [key, isBack]);
  return scrolled;
}
