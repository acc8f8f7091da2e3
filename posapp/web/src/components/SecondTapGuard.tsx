import type { ReactNode } from "react";
import { useSecondTapGuard } from "@/lib/use-second-tap-guard";

interface SecondTapGuardProps {
  /** Changes when something else appears inside; without it the guard holds once, from its mounting. */
  appeared?: unknown;
  className?: string | undefined;
  children: ReactNode;
}

/** Around what appears under the finger (a dialog's content, a confirmation): see `useSecondTapGuard`. */
export function SecondTapGuard({ appeared, className, children }: SecondTapGuardProps) {
  const { style, ...guard } = useSecondTapGuard(appeared);
  return (
    <div className={className} style={style} {...guard}>
      {children}
    </div>
  );
}
