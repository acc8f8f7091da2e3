import { CloudOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useLostSince } from "@/api/contact";
import { useRestaurant } from "@/api/queries";
import { Strip } from "@/components/Strip";
import { clock } from "@/lib/time";
import { useProbe } from "./use-probe";

/** No contact with the server, and since when: on every screen, from here. */
export function ContactStrip() {
  const { t } = useTranslation();
  const since = useLostSince();
  useRestaurant(); // asks once a minute, so that a screen that asks nothing hears of it too
  useProbe(since !== null);
  if (since === null) return null;
  return (
    <Strip tone="warning" icon={<CloudOff size={20} aria-hidden="true" />}>
      {t("contact.lost", { time: clock(since) })}
    </Strip>
  );
}
