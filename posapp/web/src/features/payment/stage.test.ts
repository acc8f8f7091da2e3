import { expect, it } from "vitest";
import { ApiError } from "@/api/error";
import type { Payment } from "@/api/types";
import { stageOf } from "./stage";

const answer = (rest: number) => ({ rest }) as Payment;
const pay = { data: null, answeredAt: 0, error: null, waiting: null };
const refused = new ApiError(409, "no", { code: "order_paid" });

it("is done by the answer to one's own payment, before the order is read again", () => {
  expect(stageOf({ status: "open" }, 50, { ...pay, data: answer(0), answeredAt: 100 })).toBe("done");
  expect(stageOf({ status: "paid" }, 200, { ...pay, data: answer(0), answeredAt: 100 })).toBe("done");
});

it("is not done by a part, nor when the payment was undone since", () => {
  expect(stageOf({ status: "open" }, 50, { ...pay, data: answer(500), answeredAt: 100 })).toBe("form");
  expect(stageOf({ status: "open" }, 200, { ...pay, data: answer(0), answeredAt: 100 })).toBe("form");
});

it("is never done by a refusal, whatever the order says", () => {
  for (const status of ["open", "paid", "voided"] as const) {
    expect(stageOf({ status }, 50, { ...pay, error: refused })).toBe("refused");
  }
});

it("says of an order that somebody else has paid or voided that it is so", () => {
  expect(stageOf({ status: "paid" }, 50, pay)).toBe("paid");
  expect(stageOf({ status: "voided" }, 50, pay)).toBe("voided");
});

it("waits for an answer that is outstanding, also when the order is paid by now", () => {
  expect(stageOf({ status: "paid" }, 50, { ...pay, waiting: {} })).toBe("form");
});
