import { expect, it } from "vitest";
import { clock, clockSeconds } from "./time";

it("tells the time in Jakarta, seven hours ahead of the wire", () => {
  expect(clock("2025-12-26T14:05:09Z")).toBe("21:05");
  expect(clockSeconds("2025-12-26T18:30:00Z")).toBe("01:30:00 WIB");
});
