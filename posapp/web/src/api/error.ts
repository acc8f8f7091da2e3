/** Why a request brought nothing: the server refused it, failed, or was not there at all. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly detail: string,
    readonly requestId: string | null = null,
    /** Seconds until another try makes sense. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }

  /** Nobody knows whether the request was carried out, or (a 409 to be retried) it still is. */
  get outcomeUnknown(): boolean {
    const underWay = this.status === 409 && this.retryAfter !== null;
    return this.status === 0 || this.status === 408 || this.status >= 500 || underWay;
  }

  /** Turned away at the door: the request itself was not looked at. */
  get notProcessed(): boolean {
    return [401, 403, 429].includes(this.status);
  }
}

interface Problem {
  detail?: string;
  title?: string;
  request_id?: string;
  errors?: { field: string; message: string }[] | null;
}

const isProblem = (body: unknown): body is Problem => typeof body === "object" && body !== null;

/** Read the answer of a server that refused: `application/problem+json`, or whatever a proxy says. */
export function problemOf(response: Response, body: unknown): ApiError {
  const problem = isProblem(body) ? body : {};
  const fields = (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(
    response.status,
    [...new Set([problem.detail ?? problem.title ?? response.statusText, ...fields])].join(" · "),
    problem.request_id ?? response.headers.get("X-Request-ID"),
    Number.isNaN(wait) ? null : wait,
  );
}
