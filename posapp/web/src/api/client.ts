import createClient from "openapi-fetch";
import { heard, missed } from "./contact";
import { ApiError, isFromServer, problemOf } from "./error";
import type { paths } from "./schema";
import {
  beginSignIn,
  currentAccessToken,
  currentUser,
  endSignIn,
  refreshToken,
  withRefreshLock,
} from "./sign-in";
import type { Tokens } from "./types";

/** Milliseconds that a request may take; who stands at a till does not wait longer. */
export const TIME_LIMIT = 8_000;

const withoutToken = /\/(auth\/(login|refresh|logout|demo-logins)|public\/\w+)$/;

async function send(request: Request): Promise<Response> {
  const token = currentAccessToken();
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIME_LIMIT)]);
  try {
    const response = await fetch(request, { signal });
    if (isFromServer(response)) heard();
    else missed();
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    missed();
    throw new ApiError(0, "no response");
  }
}

/** Who asked has signed out meanwhile, or another person in: nothing is done in their name. */
const someoneElse = (): ApiError => new ApiError(401, "somebody else is at work");

/** Exchange the refresh token, unless another tab has just done so. Throws `ApiError`. */
async function exchange(): Promise<void> {
  const token = refreshToken();
  if (!token) throw new ApiError(401, "not signed in");
  const response = await send(
    new Request(`${location.origin}/api/v1/auth/refresh`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: token }),
    }),
  );
  const pair = response.ok ? ((await response.json()) as Tokens) : null;
  const now = refreshToken(); // also of another tab, which may have got this very pair
  if (now !== token && now !== pair?.refresh_token) throw someoneElse();
  if (pair) {
    beginSignIn(pair);
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
  const asks = currentUser();
  const renew = async () => {
    await refresh();
    if (asks && currentUser()?.id !== asks.id) throw someoneElse();
  };
  if (!currentAccessToken() && refreshToken()) await renew(); // a page that has just opened
  const again = request.clone();
  const response = await send(request);
  if (response.status !== 401 || !refreshToken()) return response;
  await renew();
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
  const { data, error, response } = await result.catch((fault: unknown) => {
    // A proxy's page under a good status is no JSON: nobody knows what became of the request.
    if (fault instanceof SyntaxError) throw new ApiError(0, "no response of the server's");
    throw fault;
  });
  if (!response.ok) throw problemOf(response, error);
  return data as T;
}
