import { api } from "./client";
import { queryClient } from "./queries";
import { endSession, refreshToken } from "./session";

/** Forget the session here at once, and have the server revoke it; a server that is away cannot. */
export async function signOut(): Promise<void> {
  const refresh_token = refreshToken();
  endSession();
  queryClient.clear();
  if (!refresh_token) return;
  await api.POST("/api/v1/auth/logout", { body: { refresh_token } }).catch(() => null);
}
