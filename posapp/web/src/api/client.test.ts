import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeDevice, openPage } from "./fake-device";

/** The client and the session as one page has them: each test opens its own. */
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
const user = { id: 3, username: "sari", name: "Sari", role: "cashier" };
const tokens = (access_token: string, who = user) =>
  json({ access_token, refresh_token: `refresh-${access_token}`, token_type: "Bearer", expires_in: 900, user: who });

let device: FakeDevice;
beforeEach(() => {
  device = openPage();
});
afterEach(() => vi.unstubAllGlobals());

const load = async () => {
  vi.resetModules();
  return {
    ...(await import("./client")),
    signIn: await import("./sign-in"),
    contact: await import("./contact"),
  };
};

/** Answer requests one after the other; keeps what was asked. */
function answer(...answers: (Response | Error | (() => Response))[]): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(request);
    const next = answers.shift();
    if (next === undefined) throw new Error(`nobody expected ${request.url}`);
    if (next instanceof Error) return Promise.reject(next);
    return Promise.resolve(typeof next === "function" ? next() : next);
  });
  return asked;
}

const tables = { floors: [] };

describe("the client", () => {
  it("renews an access token that has run out once, and asks again with the new one", async () => {
    const { api, signIn } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    const asked = answer(json({}, 401), tokens("new"), json(tables));
    const { data } = await api.GET("/api/v1/tables");
    expect(data).toEqual(tables);
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual([
      "/api/v1/tables",
      "/api/v1/auth/refresh",
      "/api/v1/tables",
    ]);
    expect(asked[2]?.headers.get("Authorization")).toBe("Bearer new");
    expect(signIn.currentUser()?.name).toBe("Sari");
  });

  it("asks for a fresh token before the first request of a page that has just opened", async () => {
    device.store.set("kenangan.refresh", "kept");
    device.store.set("kenangan.user", JSON.stringify(user));
    const { api, signIn } = await load();
    expect(signIn.currentUser()?.name).toBe("Sari");
    const asked = answer(tokens("new"), json(tables));
    await api.GET("/api/v1/tables");
    expect(asked.map(({ url }) => new URL(url).pathname)[0]).toBe("/api/v1/auth/refresh");
  });

  it("asks once for all requests that come at the same time", async () => {
    device.store.set("kenangan.refresh", "kept");
    const { api } = await load();
    const asked = answer(tokens("new"), json(tables), json(tables), json(tables));
    await Promise.all([1, 2, 3].map(() => api.GET("/api/v1/tables")));
    expect(asked.filter(({ url }) => url.endsWith("/auth/refresh"))).toHaveLength(1);
  });

  it("ends the session when the refresh token is refused, and keeps who was at work", async () => {
    const { api, signIn, unwrap } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    answer(json({}, 401), json({ detail: "over" }, 401));
    await expect(unwrap(api.GET("/api/v1/tables"))).rejects.toMatchObject({ status: 401 });
    expect(signIn.currentUser()).toBeNull();
    expect(device.store.has("kenangan.refresh")).toBe(false);
    expect(device.store.has("kenangan.user")).toBe(true);
  });

  it.each([
    ["a fresh pair", () => tokens("late")],
    ["a refusal", () => json({ detail: "over" }, 401)],
  ])("leaves who came meanwhile at work when %s for the one before comes late", async (_, late) => {
    const { api, signIn, unwrap } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    const budi = { ...user, id: 4, name: "Budi" };
    const next = (await tokens("budi", budi).json()) as never;
    const asked = answer(json({}, 401), () => {
      signIn.leave();
      signIn.beginSignIn(next);
      return late();
    });
    await expect(unwrap(api.GET("/api/v1/tables"))).rejects.toMatchObject({ status: 401 });
    expect(signIn.currentUser()?.name).toBe("Budi");
    expect([signIn.currentAccessToken(), signIn.refreshToken()]).toEqual(["budi", "refresh-budi"]);
    expect(asked).toHaveLength(2); // nothing of the former's goes out in the name of the next
  });

  it("sends nothing again in the name of who came meanwhile", async () => {
    const { api, signIn, unwrap } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    const budi = { ...user, id: 4, name: "Budi" };
    const next = (await tokens("budi", budi).json()) as never;
    const signInBudi = () => {
      signIn.leave();
      signIn.beginSignIn(next);
      return json({}, 401);
    };
    const asked = answer(signInBudi, tokens("next", budi), json(tables));
    await expect(unwrap(api.GET("/api/v1/tables"))).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(2);
    expect(signIn.currentUser()?.name).toBe("Budi");
  });

  it("stays signed out when a fresh pair comes late", async () => {
    const { api, signIn, unwrap } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    answer(json({}, 401), () => {
      signIn.leave();
      return tokens("late");
    });
    await expect(unwrap(api.GET("/api/v1/tables"))).rejects.toMatchObject({ status: 401 });
    expect(signIn.currentUser()).toBeNull();
    expect(device.store.size).toBe(0);
  });

  it("keeps the session while the server is away", async () => {
    device.store.set("kenangan.refresh", "kept");
    device.store.set("kenangan.user", JSON.stringify(user));
    const { api, signIn, unwrap } = await load();
    answer(new TypeError("Failed to fetch"));
    await expect(unwrap(api.GET("/api/v1/tables"))).rejects.toMatchObject({ status: 0 });
    expect(signIn.currentUser()?.name).toBe("Sari");
  });

  it("takes no answer for one, and a proxy's page neither", async () => {
    const { api, unwrap, contact } = await load();
    const back = vi.fn();
    contact.onContact(back);
    answer(
      new Response("<html>502</html>", { status: 502, headers: { "Content-Type": "text/html" } }),
      json({ name: "x" }),
    );
    const asking = unwrap(api.GET("/api/v1/public/restaurant"));
    await expect(asking).rejects.toMatchObject({ status: 502, detail: "" });
    expect(back).not.toHaveBeenCalled();
    await api.GET("/api/v1/public/restaurant");
    expect(back).toHaveBeenCalledOnce();
  });

  it("tells a problem by its code, what it names and the request's id", async () => {
    const { api, unwrap } = await load();
    const problem = { status: 409, detail: "no", code: "order_paid", params: { number: 7 }, request_id: "r1" };
    answer(json(problem, 409, { "Retry-After": "2" }));
    await expect(unwrap(api.GET("/api/v1/public/restaurant"))).rejects.toMatchObject({
      code: "order_paid",
      params: { number: 7 },
      requestId: "r1",
      retryAfter: 2,
    });
  });
});

describe("two tabs", () => {
  it("are one person's: who signs in elsewhere is at work here, and that is announced", async () => {
    const { signIn } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    const newcomer = vi.fn();
    signIn.onNewcomer(newcomer);
    device.fromOtherTab("kenangan.refresh", "other");
    device.fromOtherTab("kenangan.user", JSON.stringify({ ...user, id: 4, name: "Budi" }));
    expect(signIn.currentUser()?.name).toBe("Budi");
    expect(signIn.currentAccessToken()).toBeNull();
    expect(newcomer).toHaveBeenCalledOnce();
  });

  it("leave together when somebody signs out", async () => {
    const { signIn } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    device.fromOtherTab("kenangan.user", null);
    device.fromOtherTab("kenangan.refresh", null);
    expect(signIn.currentUser()).toBeNull();
  });

  it("share a refresh: it is no news, and nobody is announced", async () => {
    const { signIn } = await load();
    signIn.beginSignIn((await tokens("old").json()) as never);
    const newcomer = vi.fn();
    signIn.onNewcomer(newcomer);
    device.fromOtherTab("kenangan.refresh", "rotated");
    expect(signIn.refreshToken()).toBe("rotated");
    expect(signIn.currentUser()?.name).toBe("Sari");
    expect(newcomer).not.toHaveBeenCalled();
  });
});
