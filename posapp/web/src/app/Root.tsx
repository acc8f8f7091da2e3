import { Suspense } from "react";
import { Outlet } from "react-router";
import { Pending } from "@/components/Pending";
import { later, useRestIsHere } from "@/lib/later";
import classes from "./Root.module.css";
import { ChangeStrip } from "./strips/ChangeStrip";
import { ClockStrip } from "./strips/ClockStrip";
import { ContactStrip } from "./strips/ContactStrip";
import { OwnerStrip } from "./strips/OwnerStrip";
import { StorageStrip } from "./strips/StorageStrip";

const UpdateStrip = later("UpdateStrip", () => import("./strips/UpdateStrip"));

/** What stands above every screen, and the screen. */
export function Root() {
  const rest = useRestIsHere();
  return (
    <div className={classes.root}>
      <div className={classes.strips}>
        <ContactStrip />
        <StorageStrip />
        <ClockStrip />
        {rest && (
          <Suspense>
            <UpdateStrip />
          </Suspense>
        )}
        <OwnerStrip />
        <ChangeStrip />
      </div>
      <div className={classes.screen}>
        <Suspense fallback={<Pending />}>
          <Outlet />
        </Suspense>
      </div>
    </div>
  );
}
