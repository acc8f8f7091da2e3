import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "@/api/error";
import { database } from "./database";
import { claim, deliver, park } from "./outgoing";

const start = async (slot: string, body: unknown = {}) => {
  const outgoing = await claim(slot, () => Promise.resolve(body));
  if (!outgoing) throw new Error("nothing was claimed");
  return outgoing;
};

beforeEach(async () => {
  await database.outgoing.clear();
  await database.drafts.clear();
});

const keyOf = async (slot: string) => (await database.outgoing.get(slot))?.key;

describe("a request in flight", () => {
  it("gives every tap of a double tap the same key", async () => {
    const taps = await Promise.all([start("order", { a: 1 }), start("order", { a: 1 })]);
    expect(taps[0].key).toBe(taps[1].key);
  });

  it("repeats the first body even when another was written since", async () => {
    const first = await start("order", { lines: 1 });
    expect(await start("order", { lines: 2 })).toEqual(first);
  });

  it("has a key of its own for each slot", async () => {
    const [order, payment] = [await start("order"), await start("payment:7")];
    expect(order.key).not.toBe(payment.key);
  });

  it.each([0, 408, 500, 502, 503])("keeps its key through status %i", async (status) => {
    const outgoing = await start("order");
    const fails = () => Promise.reject(new ApiError(status, "?"));
    await expect(deliver(outgoing, fails)).rejects.toThrow(ApiError);
    expect(await keyOf("order")).toBe(outgoing.key);
  });

  it.each([400, 401, 403, 409, 422, 429])("is over when refused with status %i", async (status) => {
    const outgoing = await start("order");
    const refuses = () => Promise.reject(new ApiError(status, "?"));
    await expect(deliver(outgoing, refuses)).rejects.toThrow(ApiError);
    expect(await keyOf("order")).toBeUndefined();
  });

  it("keeps its key while the server says that it is still at it", async () => {
    const outgoing = await start("order");
    const underWay = () => Promise.reject(new ApiError(409, "in progress", { retryAfter: 1 }));
    await expect(deliver(outgoing, underWay)).rejects.toThrow(ApiError);
    expect(await keyOf("order")).toBe(outgoing.key);
  });

  it.each([401, 403, 429])("keeps its key when a second try meets status %i", async (status) => {
    const outgoing = await start("order");
    for (const error of [new ApiError(0, "lost"), new ApiError(status, "no")]) {
      await expect(deliver(outgoing, () => Promise.reject(error))).rejects.toThrow(error.detail);
    }
    expect(await keyOf("order")).toBe(outgoing.key);
  });

  it("is over when a second try is refused for what it says", async () => {
    const outgoing = await start("order");
    for (const error of [new ApiError(0, "lost"), new ApiError(422, "sold out")]) {
      await expect(deliver(outgoing, () => Promise.reject(error))).rejects.toThrow(error.detail);
    }
    expect(await keyOf("order")).toBeUndefined();
  });

  it("is not begun when nothing is left to send", async () => {
    expect(await claim("order", () => Promise.resolve(null))).toBeNull();
    expect(await keyOf("order")).toBeUndefined();
  });

  it("is forgotten together with the draft once it was answered", async () => {
    await database.drafts.put({
      id: "current", type: "takeaway", tableId: null, lines: [], lastSent: null,
      guest: { count: null, name: "", phone: "", address: "" },
    });
    const outgoing = await start("order");
    const answer = await deliver(
      outgoing,
      () => Promise.resolve("made"),
      () => database.drafts.clear(),
    );
    expect(answer).toBe("made");
    expect(await keyOf("order")).toBeUndefined();
    expect(await database.drafts.count()).toBe(0);
  });

  it("leaves the next order alone when its own answer comes late", async () => {
    const first = await start("order", { lines: 1 });
    await deliver(first, () => Promise.resolve());
    const second = await start("order", { lines: 2 });
    let cleared = false;
    await deliver(first, () => Promise.resolve(), () => Promise.resolve((cleared = true)));
    expect(await keyOf("order")).toBe(second.key);
    expect(cleared).toBe(false);
  });
});

describe("an order that goes on beside the next", () => {
  it("keeps its key in a slot of its own, and is kept when it is refused", async () => {
    const first = await start("order", { lines: 1 });
    const slot = await park(() => Promise.resolve());
    expect(slot).toBe(`order:${first.key}`);
    const next = await start("order", { lines: 2 });
    expect(next.key).not.toBe(first.key);
    const parked = await start(slot ?? "");
    expect(parked).toMatchObject({ key: first.key, body: { lines: 1 } });
    const refuses = () => Promise.reject(new ApiError(409, "sold out", { code: "sold_out" }));
    await expect(deliver(parked, refuses)).rejects.toThrow(ApiError);
    expect(await database.outgoing.get(slot ?? "")).toMatchObject({ refusal: { code: "sold_out" } });
  });

  it("is not settled by a try that began before", async () => {
    const first = await start("order");
    await deliver(first, async () => await park(() => Promise.resolve()), () => Promise.reject(new Error("settled")));
    expect(await keyOf(`order:${first.key}`)).toBe(first.key);
  });

  it("is none where nothing waits", async () => {
    expect(await park(() => Promise.reject(new Error("begun")))).toBeNull();
  });
});
