import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { afterClock } from "@/api/keys";
import { ApprovalSheet } from "@/components/ApprovalSheet";

/** A manager says that the server's clock is right. */
export function ConfirmClock({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return (
    <ApprovalSheet
      title={t("clock.confirm")}
      hint={t("clock.hint")}
      reasons={[t("clock.reason")]}
      confirm={t("clock.confirm")}
      act={(key, body) =>
        unwrap(
          api.POST("/api/v1/clock/confirmations", {
            params: { header: { "Idempotency-Key": key } },
            body,
          }),
        )
      }
      onDone={() => {
        onClose();
        afterClock(queries);
      }}
      onClose={onClose}
    />
  );
}
