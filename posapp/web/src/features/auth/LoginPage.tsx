import { useTranslation } from "react-i18next";
import { Navigate, useLocation } from "react-router";
import { useRestaurant } from "@/api/queries";
import { useUser } from "@/api/sign-in";
import { Flame } from "@/components/Brand";
import { LanguageSwitch } from "@/components/LanguageSwitch";
import { homeOf } from "@/lib/homes";
import { LoginForm } from "./LoginForm";
import classes from "./LoginPage.module.css";

/** The way in; whoever was on the way to a page lands there, and everybody else at their own home. */
export function LoginPage() {
  const { t } = useTranslation();
  const user = useUser();
  const name = useRestaurant()?.name ?? t("app.name");
  const state = useLocation().state as { from?: string } | null;
  if (user) return <Navigate to={state?.from ?? homeOf(user.role)} replace />;
  return (
    <div className={classes.page}>
      <header className={classes.house}>
        <Flame size={72} />
        <div>
          <h1 className={classes.name}>{name}</h1>
          <p className={classes.tagline}>{t("app.tagline")}</p>
        </div>
        <div className={classes.language}>
          <LanguageSwitch />
        </div>
      </header>
      <main className={classes.form}>
        <LoginForm title={t("auth.title")} hint={t("auth.hint")} />
      </main>
    </div>
  );
}
