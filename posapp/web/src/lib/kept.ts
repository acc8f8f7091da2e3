import type { QueryClient } from "@tanstack/react-query";
import { database } from "./database";

/** What a till needs to write an order while the server is away; nothing of money or people. */
const KEPT = ["menu", "tables", "restaurant"];

const isKept = ([name]: readonly unknown[]): boolean => KEPT.includes(String(name));

/** Put what this device has kept in the place of what has not been read yet. */
export async function restoreKept(queries: QueryClient): Promise<void> {
  for (const { id, data, at } of await database.kept.toArray()) {
    const key = JSON.parse(id) as unknown[];
    if (queries.getQueryData(key) === undefined) {
      queries.setQueryData(key, data, { updatedAt: at });
    }
  }
}

/** Keep on this device what `queries` read from the server, from now on. */
export function keepWhatIsRead(queries: QueryClient): void {
  queries.getQueryCache().subscribe(({ type, query }) => {
    const { dataUpdatedAt: at, fetchStatus, status } = query.state;
    const data: unknown = query.state.data;
    const isRead = type === "updated" && status === "success" && fetchStatus === "idle";
    if (!isRead || !isKept(query.queryKey as unknown[])) return;
    // Losing it costs nothing but a wait: a full device is told where an order cannot be written.
    void database.kept.put({ id: query.queryHash, data, at }).catch(() => null);
  });
}
