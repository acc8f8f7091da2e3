import { Title, VisuallyHidden } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

interface PageTitleProps {
  /** A string, for it is the document's title as well. */
  children: string;
  /** Whether it is for screen readers alone. */
  hidden?: boolean;
  size?: number;
}

/** The heading of a page, which has the focus when the page opens; the window has its name. */
export function PageTitle({ children, hidden = false, size = 32 }: PageTitleProps) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  const name = t("app.name");
  useEffect(() => {
    document.title = `${children} · ${name}`;
  }, [children, name]);
  useEffect(() => {
    // Not away from a field that has taken it already.
    if (!document.activeElement?.closest("main, dialog")) heading.current?.focus({ preventScroll: true });
  }, []);
  const title = (
    <Title order={1} fz={size} ref={heading} tabIndex={-1}>
      {children}
    </Title>
  );
  return hidden ? <VisuallyHidden>{title}</VisuallyHidden> : title;
}
