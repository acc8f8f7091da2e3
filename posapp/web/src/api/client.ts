import createClient from "openapi-fetch";
import { ApiError, problemOf } from "./error";
import type { paths } from "./schema";
import { beginSignIn, currentSignIn, endSignIn, refreshToken, withRefreshLock } from "./sign-in";
import type { Tokens } from "./types";

const withoutToken = /\/auth\/(login|refresh|logout)$/;

async function send(request: Request): Promise<Response> {
  const token = currentSignIn()?.accessToken;
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError(0, "no response");
  }
}

/** Exchange the refresh token, unless another tab has just done so. Throws `ApiError`. */
async function exchange(): Promise<void> {
  const token = refreshToken();
  if (!token) throw new ApiError(401, "not signed in");
  const response = await send(
    new Request("/api/v1/auth/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: token }),
    }),
  );
  if (response.ok) {
    beginSignIn((await response.json()) as Tokens);
    return;
  }
  if (response.status === 401) endSignIn();
  throw problemOf(response, await response.json().catch(() => null));
}

let refreshing: Promise<void> | null = null;

/** Get a fresh access token; however many ask at once, the server is asked once. */
export function refresh(): Promise<void> {
  refreshing ??= withRefreshLock(exchange).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** `fetch` with the access token, which is renewed once when the server no longer takes it. */
async function authorised(request: Request): Promise<Response> {
  if (withoutToken.test(new URL(request.url).pathname)) return send(request);
  const again = request.clone();
  const response = await send(request);
  if (response.status !== 401 || !refreshToken()) return response;
  await refresh();
  return send(again);
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorised });

interface ApiResult<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Return the body of a successful response; throw `ApiError` for any other. */
export async function unwrap<T>(result: Promise<ApiResult<T>>): Promise<T> {
  const { data, error, response } = await result;
  if (!response.ok) throw problemOf(response, error);
  return data as T;
}
