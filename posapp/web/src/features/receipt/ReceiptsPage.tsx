import { Button, Skeleton, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ChevronRight, ReceiptText, Search } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useRestaurant, useTableName } from "@/api/queries";
import type { OrderSummary } from "@/api/types";
import { DayField } from "@/components/DayField";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { clock, dayOf } from "@/lib/time";
import { usePaidOrders } from "./queries";
import classes from "./ReceiptsPage.module.css";

/** The paid bills of a business date, found again by number, table or sum. */
export function ReceiptsPage() {
  const { t } = useTranslation();
  const today = useRestaurant()?.business_date;
  const [asked, setAsked] = useSearchParams();
  const day = dayOf(asked.get("day")) ?? today;
  const search = asked.get("search") ?? "";
  const [settled] = useDebouncedValue(search, 250);
  const orders = usePaidOrders(day, settled.trim());
  const found = orders.data?.pages.flatMap((page) => page.orders);
  const ask = (name: string, value: string) =>
    setAsked(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <Title order={1} fz={32}>
          {t("receipt.title")}
        </Title>
        <DayField label={t("report.date")} day={day} last={today} onPick={(picked) => ask("day", picked)} />
        <TextInput
          className={classes.search}
          aria-label={t("receipt.search")}
          placeholder={t("orders.searchHint")}
          leftSection={<Search size={20} />}
          value={search}
          maxLength={40}
          onChange={({ currentTarget }) => ask("search", currentTarget.value)}
        />
      </header>
      {orders.isError && <ErrorNote error={orders.error} onRetry={() => void orders.refetch()} />}
      {orders.isPending && <Skeleton h={320} radius="lg" />}
      {found?.length === 0 && (
        <Empty icon={<ReceiptText size={44} />} title={t(search ? "orders.nothing" : "receipt.none")} />
      )}
      {found && found.length > 0 && (
        <ul className={classes.list} aria-busy={orders.isPlaceholderData}>
          {found.map((order) => (
            <PaidBill key={order.id} order={order} />
          ))}
        </ul>
      )}
      {orders.hasNextPage && (
        <Button
          variant="default"
          loading={orders.isFetchingNextPage}
          onClick={() => void orders.fetchNextPage()}
        >
          {t("receipt.more")}
        </Button>
      )}
    </div>
  );
}

function PaidBill({ order }: { order: OrderSummary }) {
  const { t } = useTranslation();
  const table = useTableName()(order.table_id);
  return (
    <li>
      <Link to={paths.receipt(String(order.id))} className={classes.bill}>
        <strong>{t("orders.number", { number: order.number })}</strong>
        <span className={classes.where}>
          {table ? t("table.name", { name: table }) : t(`type.${order.type}`)}
          <small>
            {t("orders.since", { time: clock(order.created_at) })} · {order.taken_by}
          </small>
        </span>
        <span className={classes.sum}>{rupiah(order.total)}</span>
        <ChevronRight size={20} aria-hidden="true" />
      </Link>
    </li>
  );
}
