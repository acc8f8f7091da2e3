import { expect, it } from "vitest";
import { clock, clockSeconds, dayAfter, dayAndClock, dayBefore, dayName, dayOf, shortDate, shortDay } from "./time";

it("tells the time in Jakarta, seven hours ahead of the wire", () => {
  expect(clock("2025-12-26T14:05:09Z")).toBe("21:05");
  expect(clockSeconds("2025-12-26T18:30:00Z")).toBe("01:30:00 WIB");
});

it("goes from day to day over the ends of months and years", () => {
  expect(dayBefore("2026-03-01")).toBe("2026-02-28");
  expect(dayAfter("2026-12-31")).toBe("2027-01-01");
  expect(dayAfter(dayBefore("2028-03-01"))).toBe("2028-03-01");
});

it("names a day in the language of the screen", () => {
  expect(dayName("2026-11-25", "id")).toBe("Rabu, 25 November 2026");
  expect(dayName("2026-11-25", "en")).toContain("Wednesday");
});

it("writes a short date so that nobody takes the day for the month", () => {
  expect(shortDate("2026-12-11", "id")).toBe("Jum, 11 Des 2026");
  expect(shortDate("2026-12-11", "en")).toBe("Fri, 11 Dec 2026");
  expect(shortDay("2026-12-11", "en")).toBe("11 Dec");
});

it("writes a moment with the day that it has in Jakarta", () => {
  expect(dayAndClock("2026-11-25T16:59:00Z", "id")).toBe("25 Nov 23:59");
  expect(dayAndClock("2026-11-25T18:30:00Z", "id")).toBe("26 Nov 01:30");
  expect(dayAndClock("2026-11-25T18:30:00Z", "en")).toBe("26 Nov 01:30");
});

it("takes no other text for a day", () => {
  expect(dayOf("2028-02-29")).toBe("2028-02-29");
  for (const text of [null, "", "abc", "2026-02-30", "2026-13-01", "2026-1-1", "20261-01-01", "2026-11-25T00:00", " 2026-11-25"]) {
    expect(dayOf(text)).toBeNull();
  }
});
