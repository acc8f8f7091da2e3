import { useLiveQuery } from "dexie-react-hooks";
import { UserRound } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { useUser } from "@/api/sign-in";
import { Strip } from "@/components/Strip";
import { database } from "@/lib/database";
import { paths } from "@/lib/paths";

/** The order on this device was begun by somebody else than who is signed in. */
export function OwnerStrip() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const user = useUser();
  const by = useLiveQuery(async () => (await database.drafts.get("current"))?.by, []);
  if (!by || !user || by.id === user.id || pathname !== paths.order) return null;
  return (
    <Strip tone="plain" icon={<UserRound size={20} aria-hidden="true" />}>
      {t("session.writtenBy", { name: by.name })}
    </Strip>
  );
}
