import { useQuery } from "@tanstack/react-query";
import { keys } from "@/api/keys";

export type Health = "healthy" | "degraded" | "unhealthy";

export interface Check {
  status: string;
  response_time?: string;
  uptime?: string;
  error?: string;
  warning?: string;
  message?: string;
  connection_pool?: { open: number; in_use: number; idle: number };
}

/** The body of `GET /health`, which answers 503 with the same shape when something is wrong. */
export interface Report {
  status: Health;
  timestamp: string;
  version: string;
  environment: string;
  checks: Record<string, Check>;
}

const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 4_000;

export function isReport(body: unknown): body is Report {
  const report = body as Partial<Report> | null;
  return typeof report?.status === "string" && typeof report.checks === "object";
}

async function fetchReport(): Promise<Report> {
  const response = await fetch("/health", { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body: unknown = await response.json();
  if (!isReport(body)) throw new Error("not a health report");
  return body;
}

/** The server's own report, every five seconds; an error means that no report came. */
export const useHealth = () =>
  useQuery({
    queryKey: keys.health,
    queryFn: fetchReport,
    refetchInterval: INTERVAL_MS,
    retry: false,
    gcTime: 0,
  });
