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
  const reload = () => void updateServiceWorker(true).then(() => location.reload());
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
