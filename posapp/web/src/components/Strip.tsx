import type { ReactNode } from "react";
import classes from "./Strip.module.css";

interface StripProps {
  tone: "warning" | "good" | "plain";
  icon: ReactNode;
  children: ReactNode;
  /** What can be done about it. */
  acts?: ReactNode;
}

/** One line above the screen that says what is so; it takes room of its own and covers nothing. */
export function Strip({ tone, icon, children, acts }: StripProps) {
  return (
    <div className={classes.strip} data-tone={tone} role="status">
      {icon}
      <span className={classes.text}>{children}</span>
      {acts && <span className={classes.acts}>{acts}</span>}
    </div>
  );
}
