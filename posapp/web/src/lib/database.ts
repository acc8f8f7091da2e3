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

/** For whom an order is, as far as it was asked; text that was not is empty. */
export interface Guest {
  /** The number of people at the table. */
  count: number | null;
  name: string;
  phone: string;
  address: string;
}

/** What is remembered of the order that was sent last. */
export interface SentOrder {
  orderId: number;
  number: number;
  type: OrderType;
  tableId: number | null;
  guestName: string;
}

/** The order that is being written on this device. There is one, and every tab sees the same. */
export interface Draft {
  id: "current";
  type: OrderType;
  tableId: number | null;
  guest: Guest;
  lines: DraftLine[];
  lastSent: SentOrder | null;
  /** Who wrote its first line; the next person at this device is told. */
  by?: Person | null;
}

/** Who did something on this device. */
export interface Person {
  id: number;
  name: string;
}

/** A request that moves money or food, from the tap until the server has answered it. */
export interface Outgoing {
  /** Its subject: "order", "order:<key>" beside the next one, or "payment:<order id>". One at a time for each. */
  slot: string;
  key: string;
  body: unknown;
  /** The number of tries, counted before each. */
  tries: number;
  /** What follows is missing in rows that an older version wrote. */
  by?: Person | null;
  /** Milliseconds, by the clock of this device. */
  since?: number;
  /** The number of the order that is paid. */
  number?: number | null;
  /** Why the server has refused a parked order, which is kept all the same. */
  refusal?: Refusal;
}

/** What of a refusal is shown again later. */
export interface Refusal {
  status: number;
  detail: string;
  code: string | null;
  params: Record<string, unknown>;
}

/** The server's answer to the last request of a slot, until it has been looked at. */
export interface Answered {
  slot: string;
  key: string;
  answer: unknown;
  /** Milliseconds, by the clock of this device. */
  at: number;
  by: Person | null;
  number: number | null;
}

/** What was read from the server last, for when it is away. */
export interface Kept {
  id: string;
  data: unknown;
  at: number;
}

type Database = Dexie & {
  drafts: EntityTable<Draft, "id">;
  outgoing: EntityTable<Outgoing, "slot">;
  answers: EntityTable<Answered, "slot">;
  kept: EntityTable<Kept, "id">;
};

export const database = new Dexie("kenangan") as Database;
// Only ever add tables and indexes: an older version may open what a newer one made.
database.version(1).stores({ drafts: "id", outgoing: "slot" });
database.version(2).stores({ answers: "slot", kept: "id" });
