import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPage } from "@/api/fake-device";

/** The outbox as one page has it, against a server that answers as told. */
const user = { id: 3, username: "sari", name: "Sari", role: "cashier" as const };
const tokens = { access_token: "a", refresh_token: "r", token_type: "Bearer", expires_in: 900, user };
const json = (body: unknown, status = 201) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

beforeEach(() => {
  openPage();
  vi.stubGlobal("document", { addEventListener: () => null, visibilityState: "visible" });
});
afterEach(() => vi.unstubAllGlobals());

async function load() {
  vi.resetModules();
  const signIn = await import("@/api/sign-in");
  signIn.beginSignIn(tokens as never);
  const { database } = await import("./database");
  await Promise.all([database.outgoing.clear(), database.answers.clear(), database.drafts.clear()]);
  return { ...(await import("./outbox")), contact: await import("@/api/contact"), database };
}

/** Answer payments as `server` says; keeps the keys that they came under. */
function serve(server: () => Promise<Response>): string[] {
  const keys: string[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    keys.push(request.headers.get("Idempotency-Key") ?? "");
    return server();
  });
  return keys;
}

const away = () => Promise.reject(new TypeError("Failed to fetch"));
const payment = { method: "qris", amount: 500 };
const write = () => Promise.resolve(() => Promise.resolve(payment));
const SLOT = "payment:7";

describe("a payment", () => {
  it("is sent once by a double tap, and its answer is kept with who asked for it", async () => {
    const { submit, database } = await load();
    const keys = serve(() => Promise.resolve(json({ id: 1, rest: 0 })));
    await Promise.all([submit(SLOT, write, 14), submit(SLOT, write, 14)]);
    expect(keys).toHaveLength(1);
    expect(await database.outgoing.count()).toBe(0);
    expect(await database.answers.get(SLOT)).toMatchObject({
      answer: { id: 1, rest: 0 },
      by: { id: 3, name: "Sari" },
      number: 14,
    });
  });

  it("goes out again by itself, under the same key, when the server is heard again", async () => {
    const { submit, startOutbox, contact, database } = await load();
    startOutbox(() => Promise.resolve());
    const lost = serve(away);
    await submit(SLOT, write);
    const found = serve(() => Promise.resolve(json({ id: 1, rest: 0 })));
    contact.heard();
    await vi.waitFor(async () => expect(await database.answers.get(SLOT)).toBeDefined());
    expect(found).toEqual([lost[0]]);
  });

  it("of somebody else waits for a word, while one's own goes out by itself", async () => {
    const { submit, startOutbox, contact, database } = await load();
    serve(away);
    await submit("payment:6", write);
    await submit("payment:8", write);
    await database.outgoing.update("payment:6", { by: { id: 4, name: "Budi" } });
    startOutbox(() => Promise.resolve());
    const asked = serve(() => Promise.resolve(json({ id: 1, rest: 0 })));
    contact.heard();
    await vi.waitFor(async () => expect(await database.answers.get("payment:8")).toBeDefined());
    expect(asked).toHaveLength(1);
    expect(await database.outgoing.get("payment:6")).toBeDefined();
    await submit("payment:6");
    expect(asked).toHaveLength(2);
  });

  it("that was refused is forgotten, and nothing is kept as its answer", async () => {
    const { submit, database } = await load();
    serve(() => Promise.resolve(json({ status: 409, code: "order_paid" }, 409)));
    await submit(SLOT, write);
    expect(await database.outgoing.count()).toBe(0);
    expect(await database.answers.count()).toBe(0);
  });
});

describe("the outcome that the server tells", () => {
  it("is taken for the answer that was lost, or forgets the request that was given up", async () => {
    const { submit, takeOutcome, database } = await load();
    serve(away);
    for (const state of ["done", "given_up"] as const) {
      await submit(SLOT, write);
      const outgoing = await database.outgoing.get(SLOT);
      if (!outgoing) throw new Error("nothing waits");
      await takeOutcome(outgoing, { state, at: null, answer: state === "done" ? { rest: 0 } : null });
      expect(await database.outgoing.count()).toBe(0);
      expect(await database.answers.count()).toBe(state === "done" ? 1 : 0);
    }
  });
});
