import type { Quote } from "./types";

/** A request that failed: refused by the server, failed there, or never answered. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server did not respond. */
    readonly status: number,
    readonly detail: string,
    readonly requestId: string | null = null,
    /** Seconds until another try makes sense. */
    readonly retryAfter: number | null = null,
    /** The totals of now, where the total was not the expected one (409). */
    readonly quote: Quote | null = null,
    /** What the server asks before it takes the same once more, confirmed. */
    readonly question: string | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }

  /** Whether the server may have carried the request out, or (a 409 to be retried) still does. */
  get outcomeUnknown(): boolean {
    const underWay = this.status === 409 && this.retryAfter !== null;
    return this.status === 0 || this.status === 408 || this.status >= 500 || underWay;
  }

  /** Whether the server refused before it read the request. */
  get notProcessed(): boolean {
    return [401, 403, 429].includes(this.status);
  }
}

interface Problem {
  detail?: string;
  title?: string;
  request_id?: string;
  errors?: { field: string; message: string }[] | null;
  quote?: Quote | null;
  question?: string | null;
}

const isProblem = (body: unknown): body is Problem => typeof body === "object" && body !== null;

/** Read the response of a server that refused: `application/problem+json`, or whatever a proxy sends. */
export function problemOf(response: Response, body: unknown): ApiError {
  const problem = isProblem(body) ? body : {};
  const fields = (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(
    response.status,
    [...new Set([problem.detail ?? problem.title ?? response.statusText, ...fields])].join(" · "),
    problem.request_id ?? response.headers.get("X-Request-ID"),
    Number.isNaN(wait) ? null : wait,
    problem.quote ?? null,
    problem.question ?? null,
  );
}
