import { useEffect } from "react";
import { useTranslation } from "react-i18next";

/** Where the focus may stay when another page has opened: what is in use already. */
const IN_USE = "main :is(input, textarea, button, a, [tabindex]), dialog, dialog *";

/**
 * Give the window the name of each page, and the focus to its heading when it opens: to whoever hears
 * the screen nothing has happened otherwise. Every page has an h1; it is read off the page, so that
 * none can be without.
 */
export function usePageHeading(): void {
  const { t } = useTranslation();
  const house = t("app.name");
  useEffect(() => {
    const page = document.getElementById("root");
    if (!page) return;
    let heading: HTMLElement | null = null;
    const look = () => {
      const found = page.querySelector("h1");
      const name = found?.textContent.trim();
      document.title = name && name !== house ? `${name} · ${house}` : house;
      if (!found || found === heading) return;
      heading = found;
      found.tabIndex = -1;
      if (!document.activeElement?.matches(IN_USE)) found.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(look);
    observer.observe(page, { childList: true, subtree: true, characterData: true });
    look();
    return () => observer.disconnect();
  }, [house]);
}
