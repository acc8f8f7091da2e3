import { api } from "./client";
import { queryClient } from "./queries";
import { leave, refreshToken } from "./sign-in";

/** Forget the sign-in here at once, and have the server revoke it; an unreachable server cannot. */
export async function signOut(): Promise<void> {
  const refresh_token = refreshToken();
  leave();
  queryClient.clear();
  if (!refresh_token) return;
  await api.POST("/api/v1/auth/logout", { body: { refresh_token } }).catch(() => null);
}
