import { type ReactNode, useLayoutEffect, useRef } from "react";
import classes from "./Sheet.module.css";

/**
 * A dialog over everything, open sheets included, until what it asks for is done: nothing else closes it.
 * The browser's own, for only such a one comes over another.
 */
export function FirmDialog({ label, children }: { label: string; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (!shown) return undefined;
    const stay = (event: Event) => event.preventDefault();
    const reopen = () => shown.showModal(); // a second Escape closes it all the same
    shown.showModal();
    shown.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    shown.addEventListener("cancel", stay);
    shown.addEventListener("close", reopen);
    return () => {
      shown.removeEventListener("cancel", stay);
      shown.removeEventListener("close", reopen);
      shown.close();
    };
  }, []);
  return (
    <dialog ref={dialog} className={classes.sheet} style={{ maxWidth: 460 }} aria-label={label}>
      <div className={classes.content}>{children}</div>
    </dialog>
  );
}
