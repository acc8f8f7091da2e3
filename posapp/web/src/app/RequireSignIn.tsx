import { useQuery } from "@tanstack/react-query";
import { Fragment, Suspense, useEffect } from "react";
import { Navigate, Outlet, useLocation, useNavigate } from "react-router";
import { refresh } from "@/api/client";
import { currentUser, onNewcomer, refreshToken, useSession } from "@/api/sign-in";
import { Pending } from "@/components/Pending";
import { homeOf } from "@/lib/homes";
import { later } from "@/lib/later";
import { paths } from "@/lib/paths";
import { PersonChanged } from "./PersonChanged";

const SessionEnded = later("SessionEnded", () => import("@/features/auth/SessionEnded"));

/** Shows its routes to people who are signed in; after a reload the sign-in is resumed. */
export function RequireSignIn() {
  const { user, state, switched } = useSession();
  const { pathname, search } = useLocation();
  useHomeOfNewcomer();
  if (state === "left") return <Navigate to={paths.login} replace />;
  if (!user) {
    if (refreshToken()) return <Resume />;
    return <Navigate to={paths.login} state={{ from: pathname + search }} replace />;
  }
  return (
    // Pages of one person are not shown on to the next.
    <Fragment key={user.id}>
      <Outlet />
      {state === "ended" && (
        <Suspense>
          <SessionEnded user={user} />
        </Suspense>
      )}
      {switched && <PersonChanged user={user} />}
    </Fragment>
  );
}

/** Somebody else has signed in over the page, or in another tab: they begin where their own day does. */
function useHomeOfNewcomer(): void {
  const navigate = useNavigate();
  useEffect(
    () =>
      onNewcomer(() => {
        const user = currentUser();
        if (user) void navigate(homeOf(user.role), { replace: true });
      }),
    [navigate],
  );
}

/** The device knows a token and no name: it is of an older version of this page. */
function Resume() {
  const resuming = useQuery({
    queryKey: ["sign-in"],
    queryFn: () => refresh().then(() => true),
    retry: false,
    gcTime: 0,
  });
  return <Pending asked={resuming} />;
}
