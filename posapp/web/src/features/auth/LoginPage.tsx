import { useTranslation } from "react-i18next";
import { Navigate, useLocation } from "react-router";
import { useSignIn } from "@/api/sign-in";
import { Flame } from "@/components/Brand";
import { LanguageSwitch } from "@/components/LanguageSwitch";
import { paths } from "@/lib/paths";
import { LoginForm } from "./LoginForm";
import classes from "./LoginPage.module.css";

/** The way in; whoever was on the way to a page lands there. */
export function LoginPage() {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const state = useLocation().state as { from?: string } | null;
  if (signIn) return <Navigate to={state?.from ?? paths.order} replace />;
  return (
    <div className={classes.page}>
      <header className={classes.house}>
        <Flame size={72} />
        <div>
          <h1 className={classes.name}>{t("app.name")}</h1>
          <p className={classes.tagline}>{t("app.tagline")}</p>
        </div>
        <div className={classes.language}>
          <LanguageSwitch />
        </div>
      </header>
      <main className={classes.form}>
        <LoginForm />
      </main>
    </div>
  );
}
