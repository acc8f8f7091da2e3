import { v4 as uuid } from "uuid";
import { ApiError } from "@/api/error";

/** Faults of this program, told to Sentry where the build knows one; nothing of it is loaded before. */

/** @returns the id of a report, as Sentry writes it. */
export const faultId = (): string => uuid().replaceAll("-", "");

/** What the server says at run time, or the build; no secret, for it can only be written to. */
function sentryDsn(): string | undefined {
  const told = document.querySelector<HTMLMetaElement>("meta[name=sentry-dsn]")?.content;
  return told ?? (import.meta.env.VITE_SENTRY_DSN as string | undefined);
}

/** Report a fault under `id`; what the server refused is no fault of the program. */
export function reportFault(error: unknown, id: string = faultId()): void {
  console.error(`fault ${id}`, error);
  const dsn = sentryDsn();
  if (!dsn) return;
  void import("./sentry").then(({ send }) => send(dsn, error, id)).catch(() => null);
}

/** Hear of what no screen has caught. */
export function watchFaults(): void {
  addEventListener("error", ({ error }) => reportFault(error));
  addEventListener("unhandledrejection", ({ reason, defaultPrevented }) => {
    if (!defaultPrevented && !(reason instanceof ApiError)) reportFault(reason);
  });
}
