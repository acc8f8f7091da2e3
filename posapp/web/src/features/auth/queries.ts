import { useMutation, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { beginSignIn } from "@/api/sign-in";

export interface Credentials {
  username: string;
  password: string;
}

export const useLogin = () =>
  useMutation({
    mutationFn: (body: Credentials) => unwrap(api.POST("/api/v1/auth/login", { body })),
    onSuccess: beginSignIn,
  });

/** The demo accounts; production has none and answers 404. */
export const useDemoLogins = () =>
  useQuery({
    queryKey: ["demo-logins"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/auth/demo-logins", { signal })),
    select: ({ logins }) => logins,
    staleTime: Infinity,
    retry: false,
  });
