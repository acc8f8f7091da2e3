import { useTranslation } from "react-i18next";
import type { Check } from "./health";
import classes from "./StatusPage.module.css";

const STATES = ["healthy", "degraded", "unhealthy"] as const;

/** One check: its name, or its own where nobody has translated it; its state, its messages and its figures. */
export function CheckCard({ name, check }: { name: string; check: Check }) {
  const { t, i18n } = useTranslation();
  const state = STATES.find((known) => known === check.status) ?? "unknown";
  // They are English, and for whoever mends it: where all is well, another screen does without.
  const shown = state !== "healthy" || i18n.language === "en";
  const messages = shown ? [check.error, check.warning, check.message].filter(Boolean) : [];
  return (
    <section className={classes.card} data-testid={`check-${name}`}>
      <h2 className={classes.title}>
        {t(`status.name.${name}`, name)}
        <span className={classes.state} data-state={state}>
          {t(`status.check.${state}`)}
        </span>
      </h2>
      {messages.map((text) => (
        <p key={text} className={classes.message} lang="en">
          {text}
        </p>
      ))}
      <Figures check={check} />
    </section>
  );
}

function Figures({ check: { response_time, uptime, connection_pool: pool } }: { check: Check }) {
  const { t } = useTranslation();
  const figures = [
    [t("status.responseTime"), response_time],
    [t("status.uptime"), uptime],
    [
      t("status.pool"),
      pool &&
        `${pool.open} ${t("status.poolOpen")} · ${pool.in_use} ${t("status.poolInUse")} · ${pool.idle} ${t("status.poolIdle")}`,
    ],
  ] as const;
  return (
    <dl className={classes.figures}>
      {figures.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
