import { useTranslation } from "react-i18next";
import { useLineName } from "@/api/line-names";
import type { Receipt } from "@/api/types";
import { rupiah } from "@/lib/money";
import { percent } from "@/lib/percent";
import { dayAndClock } from "@/lib/time";
import classes from "./ReceiptPaper.module.css";

const SUMS = ["subtotal", "discount", "service_charge", "tax", "rounding"] as const;

/** A bill on a roll of 80 mm; every figure is the server's. */
export function ReceiptPaper({ receipt, copy }: { receipt: Receipt; copy: boolean }) {
  const { t, i18n } = useTranslation();
  const { order, restaurant, payments } = receipt;
  const nameOf = useLineName();
  const gone = new Set(order.voids.map(({ line_id }) => line_id));
  const labels = {
    subtotal: t("totals.subtotal"),
    discount: t("totals.discount"),
    service_charge: `${t("totals.service_charge")} ${percent(order.service_rate ?? restaurant.service_rate)}`,
    tax: `${restaurant.tax_name} ${percent(order.tax_rate ?? restaurant.tax_rate)}`,
    rounding: t("totals.rounding"),
  };
  const last = payments.at(-1);
  return (
    <article className={classes.paper} aria-label={t("receipt.one")}>
      <h2>{restaurant.name}</h2>
      {copy && (
        <p className={classes.copy} data-testid="copy">
          {t("receipt.copy")}
        </p>
      )}
      {order.status !== "paid" && <p className={classes.copy}>{t("receipt.unpaid")}</p>}
      <p className={classes.facts}>
        <span>
          {t("orders.number", { number: order.number })}
          {receipt.table && ` · ${t("table.name", { name: receipt.table })}`}
        </span>
        <span>{dayAndClock(last?.at ?? receipt.at, i18n.language)}</span>
      </p>
      <p className={classes.facts}>
        <span>{t("receipt.servedBy", { name: receipt.taken_by })}</span>
        {last && <span>{t("receipt.number", { number: last.receipt_number })}</span>}
      </p>
      <ul>
        {order.lines
          .filter(({ id }) => !gone.has(id))
          .map((line) => {
            const { name, modifiers } = nameOf(line);
            return (
              <li key={line.id}>
                <span>
                  {line.quantity} {name}
                  {modifiers.length > 0 && <small>{modifiers.join(", ")}</small>}
                </span>
                <span>{rupiah(line.total)}</span>
              </li>
            );
          })}
      </ul>
      <dl>
        {SUMS.filter((sum) => order[sum] !== 0 || sum === "subtotal").map((sum) => (
          <div key={sum}>
            <dt>{labels[sum]}</dt>
            <dd>{rupiah(sum === "discount" ? -order[sum] : order[sum])}</dd>
          </div>
        ))}
        <div data-total="true">
          <dt>{t("totals.total")}</dt>
          <dd data-testid="receipt-total">{rupiah(order.total)}</dd>
        </div>
        {payments.map((payment) => (
          <div key={payment.id}>
            <dt>
              {t(`pay.${payment.method}`)} {payment.reference}
            </dt>
            <dd>{rupiah(payment.tendered)}</dd>
          </div>
        ))}
        {receipt.change > 0 && (
          <div>
            <dt>{t("pay.change")}</dt>
            <dd data-testid="receipt-change">{rupiah(receipt.change)}</dd>
          </div>
        )}
      </dl>
      <p className={classes.thanks}>{t("receipt.thanks")}</p>
    </article>
  );
}
