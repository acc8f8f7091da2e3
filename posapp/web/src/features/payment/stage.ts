import { ApiError } from "@/api/error";
import type { Order, Payment } from "@/api/types";

/** What the right half of the pay page is about. */
export type Stage = "form" | "done" | "refused" | "paid" | "voided";

interface Paying {
  /** The answer to the payment that was made here. */
  data: Payment | null;
  /** Milliseconds, when it came. */
  answeredAt: number;
  error: Error | null;
  waiting: unknown;
}

/** The order was paid or voided by somebody else before this payment came. */
const isTooLate = (error: Error | null): boolean =>
  error instanceof ApiError && ["order_paid", "order_voided"].includes(error.code ?? "");

/**
 * Success is said of an answer alone: of the one to the payment that was made here, while the order
 * has not been opened again since.
 *
 * @param readAt milliseconds, when the order was read.
 */
export function stageOf({ status }: Pick<Order, "status">, readAt: number, pay: Paying): Stage {
  const reopened = status === "open" && readAt > pay.answeredAt;
  if (pay.data?.rest === 0 && !reopened) return "done";
  if (isTooLate(pay.error)) return "refused";
  if (status === "open" || pay.waiting) return "form";
  return status;
}
