import { describe, expect, it } from "vitest";
import type { Outgoing } from "./database";
import { goesByItself, OWN_WISH_MS, resendDelay } from "./resending";

const row = (more: Partial<Outgoing> = {}): Outgoing => ({
  slot: "payment:7",
  key: "key",
  body: {},
  tries: 1,
  by: { id: 3, name: "Sari" },
  since: 1_000_000,
  ...more,
});

describe("the wait before the next try", () => {
  it("is doubled each time, up to half a minute", () => {
    expect([1, 2, 3, 6, 50].map((failures) => resendDelay(failures, 1))).toEqual([
      1_000, 2_000, 4_000, 30_000, 30_000,
    ]);
  });

  it("is spread over its upper half", () => {
    expect(resendDelay(3, 0)).toBe(2_000);
    expect(resendDelay(3, 0.5)).toBe(3_000);
  });
});

describe("what goes out by itself", () => {
  it("is one's own, and of this hour", () => {
    expect(goesByItself(row(), 3, 1_000_000)).toBe(true);
    expect(goesByItself(row(), 3, 1_000_000 + OWN_WISH_MS - 1)).toBe(true);
  });

  it.each([
    ["somebody else's", row(), 4, 1_000_000],
    ["nobody's", row({ by: null }), 3, 1_000_000],
    ["what was refused", row({ refusal: { status: 422, detail: "", code: null, params: {} } }), 3, 1_000_000],
    ["of hours ago", row(), 3, 1_000_000 + OWN_WISH_MS],
    ["of the future, by a clock that was set back", row(), 3, 999_999],
    ["anybody's while nobody is signed in", row(), null, 1_000_000],
  ])("is not %s", (_, outgoing, user, now) => {
    expect(goesByItself(outgoing, user, now)).toBe(false);
  });

  it("is not what an older version wrote without a name or a time", () => {
    const old: Outgoing = { slot: "payment:7", key: "key", body: {}, tries: 1 };
    expect(goesByItself(old, 3, 1_000_000)).toBe(false);
  });
});
