import { Button, Skeleton, Title } from "@mantine/core";
import { CircleAlert, CircleCheck, CloudOff, LogIn, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useUser } from "@/api/sign-in";
import { paths } from "@/lib/paths";
import { clockSeconds } from "@/lib/time";
import { CheckCard } from "./CheckCard";
import { type Report, useHealth } from "./health";
import classes from "./StatusPage.module.css";

const ICONS = {
  healthy: CircleCheck,
  degraded: TriangleAlert,
  unhealthy: CircleAlert,
  unreachable: CloudOff,
};

/** The health report of the server, or a note that it does not respond. */
export function StatusPage() {
  const { t } = useTranslation();
  const signedIn = useUser() !== null;
  const { data, isError, isPending, dataUpdatedAt } = useHealth();
  return (
    <div className={classes.page}>
      <Title order={1} fz={32}>
        {t("status.title")}
      </Title>
      {isPending ? <Skeleton h={104} radius="lg" /> : <Overall report={data} unreachable={isError} />}
      {isPending && <Skeleton h={160} radius="lg" />}
      {data && (
        <>
          <div className={classes.grid} data-stale={isError}>
            {Object.entries(data.checks).map(([name, check]) => (
              <CheckCard key={name} name={name} check={check} />
            ))}
          </div>
          <dl className={classes.facts}>
            <Fact name={t("status.lastAnswer")} value={clockSeconds(dataUpdatedAt)} />
            <Fact name={t("status.version")} value={data.version} />
            <Fact name={t("status.environment")} value={data.environment} />
          </dl>
        </>
      )}
      {!signedIn && (
        <Button component={Link} to={paths.login} variant="default" leftSection={<LogIn size={20} />} mr="auto">
          {t("status.back")}
        </Button>
      )}
    </div>
  );
}

function Overall({ report, unreachable }: { report: Report | undefined; unreachable: boolean }) {
  const { t } = useTranslation();
  const state = unreachable || !report ? "unreachable" : report.status;
  const Icon = ICONS[state];
  return (
    <div className={classes.overall} data-state={state} role="status">
      <Icon size={40} strokeWidth={1.7} aria-hidden="true" />
      <div>
        <strong>{t(`status.${state}`)}</strong>
        {state === "unreachable" && <p>{t(report ? "status.unreachableHint" : "status.unreachableNothing")}</p>}
      </div>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
