import { Center, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation } from "react-router";
import { refresh } from "@/api/client";
import { refreshToken, useSession } from "@/api/session";
import { ErrorNote } from "@/components/ErrorNote";
import { paths } from "@/lib/paths";

/** Shows what is behind it to people who are signed in; after a reload the session is taken up again. */
export function RequireSession() {
  const session = useSession();
  const { pathname } = useLocation();
  if (session) return <Outlet />;
  if (refreshToken()) return <Resume />;
  return <Navigate to={paths.login} state={{ from: pathname }} replace />;
}

function Resume() {
  const { t } = useTranslation();
  const resuming = useQuery({
    queryKey: ["session"],
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
