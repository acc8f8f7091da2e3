import { ActionIcon, Skeleton, Title } from "@mantine/core";
import { ChevronLeft, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useRestaurant } from "@/api/queries";
import type { DayReport } from "@/api/types";
import { DayField } from "@/components/DayField";
import { ErrorNote } from "@/components/ErrorNote";
import { Totals } from "@/components/Totals";
import { rupiah } from "@/lib/money";
import { dayBefore, dayAfter, dayName, dayOf } from "@/lib/time";
import classes from "./DayPage.module.css";
import { useDayReport } from "./queries";

/** The sums of one business date, for managers: money by method, sales, receipts, voids. */
export function DayPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const asked = dayOf(search.get("date"));
  const report = useDayReport(asked);
  const last = useRestaurant()?.business_date;
  const show = (date: string) => setSearch(date ? { date } : {}, { replace: true });
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <Title order={1} fz={32}>
          {t("report.title")}
        </Title>
        <DayPicker shown={asked ?? report.data?.date} today={report.data?.today ?? true} last={last} onPick={show} />
      </header>
      {report.isError && <ErrorNote error={report.error} onRetry={() => void report.refetch()} />}
      {report.isPending && <Skeleton h={420} radius="lg" />}
      {report.data && <Sums of={report.data} stale={report.isPlaceholderData} />}
    </div>
  );
}

interface DayPickerProps {
  shown: string | undefined;
  /** Whether there is no day after it yet. */
  today: boolean;
  /** The last day that there is. */
  last: string | undefined;
  onPick: (date: string) => void;
}

function DayPicker({ shown, today, last, onPick }: DayPickerProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.picker}>
      <ActionIcon
        size={48}
        variant="default"
        aria-label={t("report.before")}
        disabled={!shown}
        onClick={() => shown && onPick(dayBefore(shown))}
      >
        <ChevronLeft aria-hidden="true" />
      </ActionIcon>
      <DayField label={t("report.date")} day={shown} last={last} onPick={onPick} />
      <ActionIcon
        size={48}
        variant="default"
        aria-label={t("report.after")}
        disabled={!shown || today}
        onClick={() => shown && onPick(dayAfter(shown))}
      >
        <ChevronRight aria-hidden="true" />
      </ActionIcon>
    </div>
  );
}

function Sums({ of, stale }: { of: DayReport; stale: boolean }) {
  const { t, i18n } = useTranslation();
  const { receipts, voids, carried } = of;
  const numbers = receipts.count
    ? t("report.numbers", { first: receipts.first, last: receipts.last })
    : t("report.none");
  return (
    <div className={classes.sums} data-stale={stale} aria-busy={stale}>
      <section className={classes.received} aria-label={t("report.received")}>
        <span>{t("report.received")}</span>
        <strong data-testid="received">{rupiah(of.received)}</strong>
        <span>
          {dayName(of.date, i18n.language)} · {t(of.today ? "report.open" : "report.over")}
        </span>
      </section>
      <Card title={t("report.methods")}>
        <Methods of={of} />
      </Card>
      <Card title={t("report.sales", { count: of.sales.orders })}>
        <Totals of={of.sales} stale={stale} />
      </Card>
      <Card title={t("report.more")}>
        <dl className={classes.facts}>
          <Fact name={t("report.receipts")} value={`${receipts.count} · ${numbers}`} />
          <Fact
            name={t("report.voids")}
            value={t("report.voided", { orders: voids.orders, lines: voids.lines })}
          />
          <Fact name={t("report.voidedAmount")} value={rupiah(voids.amount)} />
          <Fact name={t("report.unsettled")} value={rupiah(carried.unsettled)} />
          <Fact name={t("report.earlier")} value={rupiah(carried.earlier)} />
        </dl>
      </Card>
    </div>
  );
}

function Methods({ of: { methods } }: { of: DayReport }) {
  const { t } = useTranslation();
  return (
    <table className={classes.methods}>
      <thead>
        <tr>
          <th scope="col">{t("report.method")}</th>
          <th scope="col">{t("report.count")}</th>
          <th scope="col">{t("report.amount")}</th>
        </tr>
      </thead>
      <tbody>
        {methods.map(({ method, count, amount, undone_count, undone_amount }) => (
          <tr key={method} data-testid={`method-${method}`}>
            <th scope="row">
              {t(`pay.${method}`)}
              {undone_count > 0 && (
                <small>
                  {t("report.undone", { count: undone_count, amount: rupiah(undone_amount) })}
                </small>
              )}
            </th>
            <td>{count}</td>
            <td>{rupiah(amount)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.card}>
      <h2>{title}</h2>
      {children}
    </section>
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
