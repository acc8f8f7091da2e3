import { may } from "@/api/may";
import type { Role } from "@/api/types";
import { paths } from "./paths";

/** Where a day begins for each: who leads sees the day, who serves takes orders, the kitchen sees them. */
export function homeOf(role: Role): string {
  if (may(role, "getDayReport")) return paths.report;
  return may(role, "createOrder") ? paths.order : paths.orders;
}
