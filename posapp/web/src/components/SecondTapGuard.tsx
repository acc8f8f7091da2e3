import type { ReactNode } from "react";
import { type Place, useSecondTapGuard } from "@/lib/use-second-tap-guard";
import classes from "./SecondTapGuard.module.css";

interface SecondTapGuardProps {
  /** Changes when something else appears inside; without it the guard holds once, from its mounting. */
  appeared?: unknown;
  className?: string | undefined;
  children: ReactNode;
}

/** Around what appears under the finger (a dialog's content, a confirmation): see `useSecondTapGuard`. */
export function SecondTapGuard({ appeared, className, children }: SecondTapGuardProps) {
  const { cover, onClickCapture } = useSecondTapGuard(appeared);
  return (
    <div className={className} onClickCapture={onClickCapture}>
      {children}
      <TapCover place={cover} />
    </div>
  );
}

/** Takes the taps of the place where the finger just was. */
export function TapCover({ place }: { place: Place | null }) {
  if (!place) return null;
  return <div className={classes.cover} style={{ left: place.x, top: place.y }} />;
}
