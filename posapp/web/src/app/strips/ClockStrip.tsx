import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ClockAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { afterClock, keys } from "@/api/keys";
import { useMay } from "@/api/may";
import { useUser } from "@/api/sign-in";
import { ApprovalSheet } from "@/components/ApprovalSheet";
import { Strip } from "@/components/Strip";

/** The server's clock cannot be right: nothing is sold until a manager has confirmed it. */
export function ClockStrip() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const may = useMay();
  const [confirming, setConfirming] = useState(false);
  const clock = useQuery({
    queryKey: keys.clock,
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/clock", { signal })),
    enabled: useUser() !== null,
    refetchInterval: 60_000,
    staleTime: 30_000,
  });
  if (clock.data?.sells !== false) return null;
  return (
    <>
      <Strip
        tone="warning"
        icon={<ClockAlert size={20} aria-hidden="true" />}
        acts={
          may("confirmClock") && (
            <Button variant="white" onClick={() => setConfirming(true)}>
              {t("clock.confirm")}
            </Button>
          )
        }
      >
        {t("clock.wrong", { days: Math.floor(clock.data.behind_seconds / 86_400) })}
      </Strip>
      {confirming && (
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
            setConfirming(false);
            afterClock(queries);
          }}
          onClose={() => setConfirming(false)}
        />
      )}
    </>
  );
}
