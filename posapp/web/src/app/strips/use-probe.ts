import { useInterval, useWindowEvent } from "@mantine/hooks";
import { useEffect } from "react";
import { api } from "@/api/client";

const EVERY_MS = 3_000;

/** Ask the server for the least that it has; the answer, or none, is noted by the client itself. */
const probe = (): void => void api.GET("/api/v1/public/restaurant").catch(() => null);

/** While `lost`, ask whether the server is back; and at once when this device goes on or off line. */
export function useProbe(lost: boolean): void {
  const { start, stop } = useInterval(probe, EVERY_MS);
  useEffect(() => {
    if (lost) start();
    return stop;
  }, [lost, start, stop]);
  useWindowEvent("offline", probe);
  useWindowEvent("online", probe);
}
