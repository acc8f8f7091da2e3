import type { Quote } from "./types";

interface Facts {
  requestId?: string | null;
  /** Seconds until another try makes sense. */
  retryAfter?: number | null;
  /** The totals of now, where the total was not the expected one (409). */
  quote?: Quote | null;
  /** What the server asks before it takes the same once more, confirmed. */
  question?: string | null;
  /** The server's sentence, and what it names: for screens that say it in their own language. */
  code?: string | null;
  params?: Record<string, unknown>;
}

/** A request that failed: refused by the server, failed there, or never answered. */
export class ApiError extends Error {
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  readonly quote: Quote | null;
  readonly question: string | null;
  readonly code: string | null;
  readonly params: Record<string, unknown>;

  constructor(
    /** HTTP status; 0 when the server did not respond. */
    readonly status: number,
    readonly detail: string,
    facts: Facts = {},
  ) {
    super(detail);
    this.name = "ApiError";
    this.requestId = facts.requestId ?? null;
    this.retryAfter = facts.retryAfter ?? null;
    this.quote = facts.quote ?? null;
    this.question = facts.question ?? null;
    this.code = facts.code ?? null;
    this.params = facts.params ?? {};
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
  code?: string | null;
  params?: Record<string, unknown> | null;
}

const isObject = (body: unknown): body is object => typeof body === "object" && body !== null;

/** Whether our server has spoken, and no proxy or portal in its place: all that it says is JSON. */
export const isFromServer = ({ status, headers }: Response): boolean =>
  [204, 304].includes(status) || (headers.get("Content-Type") ?? "").includes("json");

/** Read the response of a server that refused: `application/problem+json`, or whatever a proxy sends. */
export function problemOf(response: Response, body: unknown): ApiError {
  const isProblem = isObject(body);
  const problem: Problem = isProblem ? body : {};
  const fields = (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const texts = [problem.detail ?? problem.title ?? "", ...fields].filter(Boolean);
  return new ApiError(response.status, [...new Set(texts)].join(" · "), {
    requestId: problem.request_id ?? response.headers.get("X-Request-ID"),
    retryAfter: Number.isNaN(wait) ? null : wait,
    quote: problem.quote ?? null,
    question: problem.question ?? null,
    code: problem.code ?? null,
    params: problem.params ?? {},
  });
}
