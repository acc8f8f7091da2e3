import {
  Activity,
  Ban,
  ChartColumn,
  Hourglass,
  LogIn,
  LogOut,
  Receipt,
  ReceiptText,
  Store,
  UtensilsCrossed,
} from "lucide-react";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet } from "react-router";
import { type Act, useMay } from "@/api/may";
import { useOpenOrders, useRestaurant } from "@/api/queries";
import { signOut } from "@/api/sign-out";
import { useSession } from "@/api/sign-in";
import { Flame } from "@/components/Brand";
import { KeysHelp } from "@/components/KeysHelp";
import { LanguageSwitch } from "@/components/LanguageSwitch";
import { Pending } from "@/components/Pending";
import { ThemeSwitch } from "@/components/ThemeSwitch";
import { useAllOutgoing } from "@/lib/outgoing";
import { paths } from "@/lib/paths";
import { FaultBoundary } from "./FaultBoundary";
import classes from "./Frame.module.css";
import { useKeptScroll } from "./use-kept-scroll";

/** Each with the act that it is for: who may not do it has no way there. */
const LINKS = [
  { to: paths.order, text: "nav.order", icon: UtensilsCrossed, act: "createOrder" },
  { to: paths.orders, text: "nav.orders", icon: ReceiptText, act: "listOrders" },
  { to: paths.receipts, text: "nav.receipts", icon: Receipt, act: "getReceipt" },
  { to: paths.soldOut, text: "nav.soldOut", icon: Ban, act: "setAvailability" },
  { to: paths.report, text: "nav.report", icon: ChartColumn, act: "getDayReport" },
  { to: paths.restaurant, text: "nav.restaurant", icon: Store, act: "updateRestaurant" },
  { to: paths.waiting, text: "nav.waiting", icon: Hourglass, act: "getOutcome" },
  { to: paths.status, text: "nav.status", icon: Activity, act: null },
] as const satisfies { act: Act | null; [name: string]: unknown }[];

/** The dark rail that every screen shares: left on a wide screen, on top on an upright tablet. */
export function Frame() {
  const { t } = useTranslation();
  const may = useMay();
  const counts = useCounts();
  const name = useRestaurant()?.name ?? t("app.name");
  const main = useKeptScroll();
  const offered = LINKS.filter(
    ({ act, to }) => (act === null || may(act)) && (to !== paths.waiting || counts[to]),
  );
  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#content">
        {t("frame.skip")}
      </a>
      <header className={classes.rail}>
        <Link to={paths.home} className={classes.brand} aria-label={name}>
          <Flame size={34} />
        </Link>
        <nav aria-label={t("nav.main")} className={classes.links}>
          {offered.map(({ to, text, icon: Icon }) => (
            <NavLink key={to} to={to} end className={classes.link ?? ""}>
              <Icon size={22} aria-hidden="true" />
              <span className={classes.text}>{t(text)}</span>
              {counts[to] ? <span className={classes.count}>{counts[to]}</span> : null}
            </NavLink>
          ))}
        </nav>
        <Person />
        <LanguageSwitch />
        <div className={classes.switches}>
          <ThemeSwitch />
          <KeysHelp />
        </div>
      </header>
      {/* Focusable, for it scrolls: the arrow keys must reach what is below. */}
      <main id="content" className={classes.main} tabIndex={0} ref={main}>
        {/* Below the frame, so that after a fault of one screen the ways to the others are there. */}
        <FaultBoundary>
          <Suspense fallback={<Pending />}>
            <Outlet />
          </Suspense>
        </FaultBoundary>
      </main>
    </div>
  );
}

/** How many wait behind a link: open orders, and requests without an answer. */
function useCounts(): Partial<Record<string, number>> {
  const open = useOpenOrders().data?.length ?? 0;
  const waiting = useAllOutgoing().length;
  return { [paths.orders]: open, [paths.waiting]: waiting };
}

function Person() {
  const { t } = useTranslation();
  const { user } = useSession();
  if (!user) {
    return (
      <Link to={paths.login} className={classes.link}>
        <LogIn size={22} aria-hidden="true" />
        {t("nav.signIn")}
      </Link>
    );
  }
  return (
    <>
      <div className={classes.person}>
        <strong>{user.name}</strong>
        {t(`role.${user.role}`)}
      </div>
      <button type="button" className={classes.link} onClick={() => void signOut()}>
        <LogOut size={22} aria-hidden="true" />
        {t("nav.signOut")}
      </button>
    </>
  );
}
