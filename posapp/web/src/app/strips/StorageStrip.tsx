import { Button } from "@mantine/core";
import { HardDrive } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Strip } from "@/components/Strip";
import { forgetStorageFault, useStorageFault } from "@/lib/storage-fault";

/** This device could not keep what was tapped. */
export function StorageStrip() {
  const { t } = useTranslation();
  const fault = useStorageFault();
  if (fault === null) return null;
  return (
    <Strip
      tone="warning"
      icon={<HardDrive size={20} aria-hidden="true" />}
      acts={
        <>
          <Button variant="white" onClick={() => location.reload()}>
            {t("app.reload")}
          </Button>
          <Button variant="subtle" c="#fff" onClick={forgetStorageFault}>
            {t("app.close")}
          </Button>
        </>
      }
    >
      {t(fault === "QuotaExceededError" ? "storage.full" : "storage.blocked")}
    </Strip>
  );
}
