import { X } from "lucide-react";
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffectEvent, useId, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSecondTapGuard } from "@/lib/use-second-tap-guard";
import { useBackCloses } from "./back-closes";
import { TapCover } from "./SecondTapGuard";
import classes from "./Sheet.module.css";

interface SheetProps {
  title: string;
  /** Pixels, on a screen that has them. */
  width: number;
  /** Without it nobody gets past the dialog but by what is in it. */
  onClose?: () => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  /** Stays in reach however long the rest is. */
  foot?: ReactNode;
  /** Whether there is nothing inside to have the focus: then the content has it, to be scrolled by keys. */
  plain?: boolean;
  children: ReactNode;
}

const AUTOFOCUS = "[data-autofocus]:not(:disabled)";

/**
 * A dialog over the screen until it is confirmed or closed (Escape, Back, the cross, a tap beside it).
 * The browser's own: it keeps the focus inside, and gives it back to where it was.
 */
export function Sheet({ title, width, onClose, onKeyDown, foot, plain = false, children }: SheetProps) {
  const { t } = useTranslation();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const close = useEffectEvent(() => onClose?.());
  useBackCloses(onClose !== undefined, () => onClose?.());
  const { cover, onClickCapture } = useSecondTapGuard();
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (!shown) return;
    shown.showModal();
    const first = [AUTOFOCUS, "input", "textarea"].map((one) => shown.querySelector<HTMLElement>(one));
    (first.find(Boolean) ?? shown).focus();
    const cancel = (event: Event) => {
      event.preventDefault();
      close();
    };
    // A browser that does not know closedby closes at the second Escape, whatever it is told.
    const reopen = () => shown.showModal();
    shown.addEventListener("cancel", cancel);
    shown.addEventListener("close", reopen);
    return () => {
      shown.removeEventListener("cancel", cancel);
      shown.removeEventListener("close", reopen);
      shown.close();
    };
  }, []);
  const closeBeside = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose?.();
  };

  return (
    <dialog
      ref={dialog}
      className={classes.sheet}
      style={{ maxWidth: width }}
      aria-labelledby={id}
      tabIndex={-1}
      {...(!onClose && { closedby: "none" })}
      onClick={closeBeside}
      onClickCapture={onClickCapture}
      onKeyDown={onKeyDown}
    >
      <TapCover place={cover} />
      <div className={classes.inside}>
        <div className={classes.head}>
          <h2 id={id} className={classes.title}>
            {title}
          </h2>
          {onClose && (
            <button type="button" className={classes.close} aria-label={t("app.close")} onClick={onClose}>
              <X size={24} aria-hidden="true" />
            </button>
          )}
        </div>
        <div className={classes.content} tabIndex={plain ? 0 : undefined}>{children}</div>
        {foot && <div className={classes.foot}>{foot}</div>}
      </div>
    </dialog>
  );
}
