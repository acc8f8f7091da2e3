import { Dexie, type EntityTable } from "dexie";
import type { OrderType } from "@/api/types";

/** A line as it is being written: ids, quantity and note, no prices, for the server computes every sum. */
export interface DraftLine {
  /** Local identity, so that two equal steaks can differ by their notes. */
  key: string;
  productId: number;
  variantId: number | null;
  modifierIds: number[];
  quantity: number;
  note: string;
}

/** The order that is being written on this device. There is one, and every tab sees the same. */
export interface Draft {
  id: "current";
  type: OrderType;
  tableId: number | null;
  lines: DraftLine[];
}

/** A request that moves money or food, from the tap until the server has answered it. */
export interface Outgoing {
  /** Its subject: "order", or "payment:<order id>". One at a time for each. */
  slot: string;
  key: string;
  body: unknown;
  /** The number of tries, counted before each. */
  tries: number;
}

type Database = Dexie & {
  drafts: EntityTable<Draft, "id">;
  outgoing: EntityTable<Outgoing, "slot">;
};

export const database = new Dexie("kenangan") as Database;
database.version(1).stores({ drafts: "id", outgoing: "slot" });
