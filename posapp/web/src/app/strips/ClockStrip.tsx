import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ClockAlert } from "lucide-react";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import { useMay } from "@/api/may";
import { useUser } from "@/api/sign-in";
import { Strip } from "@/components/Strip";
import { later } from "@/lib/later";

const ConfirmClock = later("ConfirmClock", () => import("./ConfirmClock"));

/** The server's clock cannot be right: nothing is sold until a manager has confirmed it. */
export function ClockStrip() {
  const { t } = useTranslation();
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
        <Suspense>
          <ConfirmClock onClose={() => setConfirming(false)} />
        </Suspense>
      )}
    </>
  );
}
