import type { OrderType } from "@/api/types";
import type { Guest } from "@/lib/database";

/** The most guests of one order, as the server takes them. */
export const MAX_GUESTS = 200;

/** A number that can be called, as the server takes it. */
const PHONE = /^[+(]?[0-9][0-9 ()./-]{4,23}$/;

/** What the kitchen's door must know before an order of this type may go, by field. */
export function guestFaults(type: OrderType, guest: Guest): Partial<Record<keyof Guest, "missing" | "phone" | "count">> {
  if (type === "dine_in") return guest.count === 0 ? { count: "count" } : {};
  const needed = type === "delivery" ? (["name", "phone", "address"] as const) : [];
  const missing = needed.filter((field) => !guest[field].trim());
  const wrong = guest.phone.trim() && !PHONE.test(guest.phone.trim());
  return {
    ...Object.fromEntries(missing.map((field) => [field, "missing" as const])),
    ...(wrong && { phone: "phone" as const }),
  };
}

/** A guest without the blanks around what was typed. */
export const trimmed = ({ count, name, phone, address }: Guest): Guest => ({
  count,
  name: name.trim(),
  phone: phone.trim(),
  address: address.trim(),
});
