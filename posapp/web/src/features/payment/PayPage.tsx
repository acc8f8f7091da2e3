import { ActionIcon, Center, Loader, Text, Title } from "@mantine/core";
import { ArrowLeft } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useTableName } from "@/api/queries";
import type { Order } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Totals } from "@/components/Totals";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { DonePanel } from "./DonePanel";
import classes from "./PayPage.module.css";
import { useOrder, usePay } from "./queries";
import { PaymentForm } from "./PaymentForm";

/** The order on the left, its payment on the right. */
export function PayPage() {
  const { t } = useTranslation();
  const { orderId } = useParams();
  const order = useOrder(Number(orderId));
  const pay = usePay(Number(orderId));
  if (!order.data) {
    return (
      <Center h="100%" p="xl">
        {order.isError ? (
          <ErrorNote error={order.error} onRetry={() => void order.refetch()} />
        ) : (
          <Loader aria-label={t("app.loading")} />
        )}
      </Center>
    );
  }
  // A payment without a response yet is asked for first: it knows the change.
  const paidBefore = order.data.status !== "open" && !pay.waiting;
  return (
    <div className={classes.page}>
      <section className={classes.order}>
        <OrderDetails order={order.data} />
      </section>
      <section className={classes.payment}>
        {pay.data || paidBefore ? (
          <DonePanel order={order.data} payment={pay.data ?? null} />
        ) : (
          <PaymentForm order={order.data} pay={pay} />
        )}
      </section>
    </div>
  );
}

function OrderDetails({ order }: { order: Order }) {
  const { t } = useTranslation();
  const table = useTableName()(order.table_id);
  return (
    <>
      <header className={classes.head}>
        <ActionIcon component={Link} to={paths.orders} aria-label={t("pay.back")}>
          <ArrowLeft />
        </ActionIcon>
        <div>
          <Title order={1} fz={24}>
            {t("pay.order", { number: order.number })}
          </Title>
          <Text c="dimmed">
            {table ? t("table.name", { name: table }) : t(`type.${order.type}`)}
          </Text>
        </div>
      </header>
      <ul className={classes.lines}>
        {order.lines.map((line) => (
          <li key={line.id}>
            <span className={classes.quantity}>{line.quantity}×</span>
            <span>
              {line.name}
              <small>{line.modifiers.map(({ name }) => name).join(", ")}</small>
              {line.note && <small>“{line.note}”</small>}
            </span>
            <span className={classes.amount}>{rupiah(line.total)}</span>
          </li>
        ))}
      </ul>
      <Totals of={order} />
    </>
  );
}
