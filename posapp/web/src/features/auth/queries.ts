import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { keys } from "@/api/keys";
import { beginSignIn } from "@/api/sign-in";
import type { Tokens } from "@/api/types";

export interface Credentials {
  username: string;
  password: string;
}

export function useLogin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Credentials) => unwrap(api.POST("/api/v1/auth/login", { body })),
    onSuccess: (tokens: Tokens) => {
      beginSignIn(tokens);
      // A page that was waiting for its person asks again for what it was refused.
      void queries.invalidateQueries();
    },
  });
}

/** The demo accounts; production has none and answers 404. */
export const useDemoLogins = () =>
  useQuery({
    queryKey: keys.demoLogins,
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/auth/demo-logins", { signal })),
    select: ({ logins }) => logins,
    staleTime: Infinity,
    retry: false,
  });
