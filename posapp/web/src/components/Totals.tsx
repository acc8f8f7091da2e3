import { Skeleton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useRestaurant } from "@/api/queries";
import type { Quote } from "@/api/types";
import { rupiah } from "@/lib/money";
import { percent } from "@/lib/percent";
import classes from "./Totals.module.css";

const ROWS = ["subtotal", "discount", "service_charge", "tax", "rounding"] as const;
const ALWAYS = new Set(["subtotal", "service_charge", "tax"]);

type Rates = Pick<Quote, "service_rate" | "tax_rate">;
type OrderTotals = Pick<Quote, (typeof ROWS)[number] | "total"> & Partial<Rates> & { paid?: number };

/** The totals as the server computed them; their room is kept while they load. */
export function Totals({ of, stale = false }: { of: OrderTotals | undefined; stale?: boolean }) {
  const { t } = useTranslation();
  const house = useRestaurant();
  const labels: Partial<Record<string, string>> = house
    ? {
        service_charge: `${t("totals.service_charge")} ${percent(of?.service_rate ?? house.service_rate)}`,
        tax: `${t("totals.taxNamed", { name: house.tax_name })} ${percent(of?.tax_rate ?? house.tax_rate)}`,
      }
    : {};
  const rows = ROWS.filter((row) => ALWAYS.has(row) || (of && of[row] !== 0));
  return (
    <dl className={classes.totals} data-stale={stale} aria-busy={stale || !of}>
      {[...rows, "total" as const].map((row) => (
        <div key={row} className={classes.row} data-total={row === "total"}>
          <dt>{labels[row] ?? t(`totals.${row}`)}</dt>
          <dd data-testid={row}>
            {of ? rupiah(row === "discount" ? -of[row] : of[row]) : <Skeleton h="1em" w={88} animate={false} />}
          </dd>
        </div>
      ))}
      {of?.paid ? (
        <div className={classes.row}>
          <dt>{t("totals.paid")}</dt>
          <dd data-testid="paid">{rupiah(of.paid)}</dd>
        </div>
      ) : null}
    </dl>
  );
}
