import { CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { SentOrder } from "@/lib/database";
import { paths } from "@/lib/paths";
import classes from "./LastSent.module.css";
import { useWhere } from "./use-where";

/** The order that was sent last, so that nobody writes it again to be sure. */
export function LastSent({ order }: { order: SentOrder }) {
  const { t } = useTranslation();
  const where = useWhere()(order.type, order.tableId, order.guestName);
  return (
    <Link className={classes.strip} to={paths.pay(String(order.orderId))} data-testid="last-sent">
      <CircleCheck size={18} aria-hidden="true" />
      <span>{t("line.lastSent", { number: order.number, where })}</span>
    </Link>
  );
}
