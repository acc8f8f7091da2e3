import { Outlet } from "react-router";
import classes from "./Root.module.css";
import { ChangeStrip } from "./strips/ChangeStrip";
import { ClockStrip } from "./strips/ClockStrip";
import { ContactStrip } from "./strips/ContactStrip";
import { OwnerStrip } from "./strips/OwnerStrip";
import { StorageStrip } from "./strips/StorageStrip";
import { UpdateStrip } from "./strips/UpdateStrip";

/** What stands above every screen, and the screen. */
export function Root() {
  return (
    <div className={classes.root}>
      <div className={classes.strips}>
        <ContactStrip />
        <StorageStrip />
        <ClockStrip />
        <UpdateStrip />
        <OwnerStrip />
        <ChangeStrip />
      </div>
      <div className={classes.screen}>
        <Outlet />
      </div>
    </div>
  );
}
