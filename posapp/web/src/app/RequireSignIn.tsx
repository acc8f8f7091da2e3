import { Center, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation } from "react-router";
import { refresh } from "@/api/client";
import { refreshToken, useSignIn } from "@/api/sign-in";
import { ErrorNote } from "@/components/ErrorNote";
import { paths } from "@/lib/paths";

/** Shows its routes to people who are signed in; after a reload the sign-in is resumed. */
export function RequireSignIn() {
  const signIn = useSignIn();
  const { pathname } = useLocation();
  if (signIn) return <Outlet />;
  if (refreshToken()) return <Resume />;
  return <Navigate to={paths.login} state={{ from: pathname }} replace />;
}

function Resume() {
  const { t } = useTranslation();
  const resuming = useQuery({
    queryKey: ["sign-in"],
    queryFn: () => refresh().then(() => true),
    retry: false,
    gcTime: 0,
  });
  return (
    <Center h="100%" p="xl">
      {resuming.isError ? (
        <ErrorNote error={resuming.error} onRetry={() => void resuming.refetch()} />
      ) : (
        <Loader aria-label={t("app.loading")} />
      )}
    </Center>
  );
}
