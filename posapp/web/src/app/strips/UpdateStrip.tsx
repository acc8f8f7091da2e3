import { Button } from "@mantine/core";
import { Sparkles } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useRegisterSW } from "virtual:pwa-register/react";
import { Strip } from "@/components/Strip";

/** Says that a new version waits; it comes only when someone asks for it, never mid-sale. */
export function UpdateStrip() {
  const { t } = useTranslation();
  // Another tab that takes the new version reloads this one only when somebody here says so.
  const { needRefresh, updateServiceWorker } = useRegisterSW({ onNeedReload: () => null });
  const [waiting, setWaiting] = needRefresh;
  if (!waiting) return null;
  const reload = () => void whenInControl(updateServiceWorker).then(() => location.reload());
  return (
    <Strip
      tone="plain"
      icon={<Sparkles size={20} aria-hidden="true" />}
      acts={
        <>
          <Button onClick={reload}>{t("app.reload")}</Button>
          <Button variant="subtle" color="wood" onClick={() => setWaiting(false)}>
            {t("app.later")}
          </Button>
        </>
      }
    >
      {t("app.newVersion")}
    </Strip>
  );
}

/**
 * Until the new version has taken over: a page that is loaded while one worker replaces the other
 * waits for both. Where none controls this page, or another tab has asked before, there is nothing to wait for.
 */
async function whenInControl(takeOver: () => Promise<void>): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  const waits = navigator.serviceWorker.controller !== null && registration?.waiting;
  const inControl = new Promise((done) =>
    navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }),
  );
  await takeOver();
  if (waits) await inControl;
}
