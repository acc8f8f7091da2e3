import { Activity, ChartColumn, LogIn, LogOut, ReceiptText, UtensilsCrossed } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet } from "react-router";
import { signOut } from "@/api/sign-out";
import { useSignIn } from "@/api/sign-in";
import { Flame } from "@/components/Brand";
import { KeysHelp } from "@/components/KeysHelp";
import { LanguageSwitch } from "@/components/LanguageSwitch";
import { ThemeSwitch } from "@/components/ThemeSwitch";
import { paths } from "@/lib/paths";
import classes from "./Frame.module.css";

const LINKS = [
  { to: paths.order, text: "nav.order", icon: UtensilsCrossed, managers: false },
  { to: paths.orders, text: "nav.orders", icon: ReceiptText, managers: false },
  { to: paths.report, text: "nav.report", icon: ChartColumn, managers: true },
  { to: paths.status, text: "nav.status", icon: Activity, managers: false },
] as const;

const MANAGERS = ["admin", "manager"];

/** The dark rail that every screen shares: left on a wide screen, on top on an upright tablet. */
export function Frame() {
  const { t } = useTranslation();
  const manages = MANAGERS.includes(useSignIn()?.user.role ?? "");
  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#content">
        {t("frame.skip")}
      </a>
      <header className={classes.rail}>
        <Link to={paths.home} className={classes.brand} aria-label={t("app.name")}>
          <Flame size={34} />
        </Link>
        <nav aria-label={t("nav.main")} className={classes.links}>
          {LINKS.filter(({ managers }) => manages || !managers).map(({ to, text, icon: Icon }) => (
            <NavLink key={to} to={to} className={classes.link ?? ""}>
              <Icon size={22} aria-hidden="true" />
              {t(text)}
            </NavLink>
          ))}
        </nav>
        <Person />
        <LanguageSwitch />
        <ThemeSwitch />
        <KeysHelp />
      </header>
      {/* Focusable, for it scrolls: the arrow keys must reach what is below. */}
      <main id="content" className={classes.main} tabIndex={0}>
        <Outlet />
      </main>
    </div>
  );
}

function Person() {
  const { t } = useTranslation();
  const signIn = useSignIn();
  if (!signIn) {
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
        <strong>{signIn.user.name}</strong>
        {t(`role.${signIn.user.role}`)}
      </div>
      <button type="button" className={classes.link} onClick={() => void signOut()}>
        <LogOut size={22} aria-hidden="true" />
        {t("nav.signOut")}
      </button>
    </>
  );
}
