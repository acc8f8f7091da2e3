/** Times are UTC on the wire and Asia/Jakarta for people, whatever the tablet's own clock says. */
const format = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Jakarta",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** @returns "21:05", from an ISO 8601 instant. */
export const clock = (instant: string): string => format.format(new Date(instant)).slice(0, 5);

/** @returns "21:05:09 WIB", from an ISO 8601 instant or milliseconds. */
export const clockSeconds = (instant: string | number): string =>
  `${format.format(new Date(instant))} WIB`;
