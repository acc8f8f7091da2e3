import { useSessionStorage } from "@mantine/hooks";
import type { PaymentMethod } from "@/api/types";
import { type Entry, NOTHING } from "./entry";

/** How an order is being paid, and the sum on the pad. */
interface Typed {
  orderId: number;
  method: PaymentMethod;
  entry: Entry;
}

/** What was picked and typed for an order, kept in this tab through a reload; of the last order alone. */
export function useTyped(orderId: number) {
  const fresh: Typed = { orderId, method: "cash", entry: NOTHING };
  const [kept, keep] = useSessionStorage<Typed>({
    key: "kenangan.typed",
    defaultValue: fresh,
    getInitialValueInEffect: false,
  });
  const own = (typed: Typed): Typed => (typed.orderId === orderId ? typed : fresh);
  return {
    ...own(kept),
    /** Another way to pay begins with an empty pad. */
    setMethod: (method: PaymentMethod) => keep({ orderId, method, entry: NOTHING }),
    setEntry: (next: Entry | ((before: Entry) => Entry)) =>
      keep((before) => {
        const typed = own(before);
        return { ...typed, entry: typeof next === "function" ? next(typed.entry) : next };
      }),
  };
}
