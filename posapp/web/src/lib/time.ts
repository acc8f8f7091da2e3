/** Times are UTC on the wire and Asia/Jakarta for people, whatever the tablet's own clock says. */
const format = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Jakarta",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** @returns "21:05", from an ISO 8601 instant or milliseconds. */
export const clock = (instant: string | number): string => format.format(new Date(instant)).slice(0, 5);

/** @returns "21:05:09 WIB", from an ISO 8601 instant or milliseconds. */
export const clockSeconds = (instant: string | number): string =>
  `${format.format(new Date(instant))} WIB`;

const DAY = 86_400_000;
const shifted = (day: string, by: number): string =>
  new Date(Date.parse(day) + by).toISOString().slice(0, 10);

/** @returns a day as an address has it, or null where that is none. */
export function dayOf(text: string | null): string | null {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") ? Date.parse(text ?? "") : NaN;
  return !Number.isNaN(at) && shifted(text ?? "", 0) === text ? text : null;
}

/** @returns "2026-11-24", from "2026-11-25". */
export const dayBefore = (day: string): string => shifted(day, -DAY);

/** @returns "2026-11-26", from "2026-11-25". */
export const dayAfter = (day: string): string => shifted(day, DAY);

/** The day stands before the month in either language, so that nobody takes one for the other. */
const locale = (language: string): string => (language === "en" ? "en-GB" : language);

const dated = (day: string, language: string, name: "long" | "short"): string =>
  new Intl.DateTimeFormat(locale(language), {
    weekday: name,
    day: "numeric",
    month: name,
    year: "numeric",
    timeZone: "UTC",
  }).format(Date.parse(day));

/** @returns "Rabu, 25 November 2026", from "2026-11-25"; a date has no time zone. */
export const dayName = (day: string, language: string): string => dated(day, language, "long");

/** @returns "Rab, 25 Nov 2026", from "2026-11-25". */
export const shortDate = (day: string, language: string): string => dated(day, language, "short");

/** @returns "26 Nov 01:30", from an ISO 8601 instant: the day of the calendar, not of the business. */
export const dayAndClock = (instant: string, language: string): string => {
  const day = { day: "numeric", month: "short", timeZone: "Asia/Jakarta" } as const;
  return `${new Intl.DateTimeFormat(locale(language), day).format(Date.parse(instant))} ${clock(instant)}`;
};

/** @returns "25 Nov", from "2026-11-25". */
export const shortDay = (day: string, language: string): string =>
  new Intl.DateTimeFormat(locale(language), {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  }).format(Date.parse(day));
