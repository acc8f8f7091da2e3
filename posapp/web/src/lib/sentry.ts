import { ApiError } from "@/api/error";
import { mask } from "./masking";

/**
 * One event to Sentry, by its envelope protocol: a POST. Its SDK would be 25 KB for that, and would read
 * along what is clicked and asked for; nothing but the fault itself leaves here, masked.
 */
export async function send(dsn: string, error: unknown, id: string): Promise<void> {
  const { protocol, host, pathname, username } = new URL(dsn);
  const at = pathname.lastIndexOf("/");
  const project = pathname.slice(at + 1);
  const query = `sentry_version=7&sentry_key=${encodeURIComponent(username)}`;
  const sentAt = new Date().toISOString();
  const lines = [
    { event_id: id, sent_at: sentAt },
    { type: "event", content_type: "application/json" },
    eventOf(error, id, sentAt),
  ];
  await fetch(`${protocol}//${host}${pathname.slice(0, at)}/api/${project}/envelope/?${query}`, {
    method: "POST",
    body: lines.map((line) => JSON.stringify(line)).join("\n"),
    keepalive: true,
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
}

function eventOf(error: unknown, id: string, timestamp: string) {
  const fault = error instanceof Error ? error : new Error(String(error));
  const requestId = fault instanceof ApiError ? fault.requestId : null;
  return {
    event_id: id,
    timestamp,
    platform: "javascript",
    level: "error",
    release: `steak-kenangan-pos@${__APP_VERSION__}`,
    environment: String(import.meta.env.VITE_ENVIRONMENT ?? "production"),
    transaction: location.pathname.replace(/\d+/g, ":id"),
    ...(requestId && { tags: { request_id: requestId } }),
    exception: {
      values: [
        {
          type: fault.name,
          value: mask(fault.message),
          stacktrace: { frames: framesOf(fault.stack ?? "") },
        },
      ],
    },
  };
}

const FRAME = /^\s{0,8}at (?:([^\s(]{1,200}) )?\(?(\S{1,500}?):(\d{1,7}):(\d{1,7})\)?$/;

/** The frames of a stack, the innermost last, as Sentry wants them. */
function framesOf(stack: string) {
  const found = stack.split("\n", 50).flatMap((line) => {
    const [, name, file, row, column] = FRAME.exec(line) ?? [];
    if (!file) return [];
    return [
      {
        function: name ?? "?",
        filename: mask(file),
        lineno: Number(row),
        colno: Number(column),
        in_app: true,
      },
    ];
  });
  return found.reverse();
}
