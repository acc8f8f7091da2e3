import { Skeleton, Title } from "@mantine/core";
import { ChevronRight, PartyPopper } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useTableName } from "@/api/queries";
import type { OrderSummary } from "@/api/types";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { clock } from "@/lib/time";
import classes from "./OrdersPage.module.css";
import { useOpenOrders } from "./queries";

/** The open orders: sent and not yet paid, each a link to its payment. */
export function OrdersPage() {
  const { t } = useTranslation();
  const orders = useOpenOrders();
  return (
    <div className={classes.page}>
      <Title order={1} fz={32}>
        {t("orders.title")}
      </Title>
      {orders.isError && <ErrorNote error={orders.error} onRetry={() => void orders.refetch()} />}
      {orders.data?.length === 0 ? (
        <Empty icon={<PartyPopper size={44} />} title={t("orders.empty")} hint={t("orders.emptyHint")} />
      ) : (
        <ul className={classes.grid}>
          {orders.isPending &&
            Array.from({ length: 6 }, (_, at) => <Skeleton key={at} h={132} radius="lg" />)}
          {orders.data?.map((order) => <OpenOrder key={order.id} order={order} />)}
        </ul>
      )}
    </div>
  );
}

function OpenOrder({ order }: { order: OrderSummary }) {
  const { t } = useTranslation();
  const table = useTableName()(order.table_id);
  return (
    <li>
      <Link to={paths.pay(String(order.id))} className={classes.card}>
        <span className={classes.where}>
          <strong>{table ? t("table.name", { name: table }) : t(`type.${order.type}`)}</strong>
          <span>{t("orders.number", { number: order.number })}</span>
        </span>
        <span className={classes.since}>{t("orders.since", { time: clock(order.created_at) })}</span>
        <span className={classes.due}>
          {rupiah(order.due)}
          <span className={classes.pay}>
            {t("orders.pay")} <ChevronRight size={18} aria-hidden="true" />
          </span>
        </span>
      </Link>
    </li>
  );
}
