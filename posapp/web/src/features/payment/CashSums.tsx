import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { PaymentMethod } from "@/api/types";
import { quickAmounts, rupiah } from "@/lib/money";
import classes from "./CashSums.module.css";
import type { Tender } from "./tender";

interface QuickAmountsProps {
  /** What is left to pay in cash, in rupiah. */
  due: number;
  locked: boolean;
  onPick: (amount: number) => void;
}

/** What the guest is likely to hand over. */
export function QuickAmounts({ due, locked, onPick }: QuickAmountsProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.quick}>
      {quickAmounts(due).map((amount) => (
        <Button
          key={amount}
          variant="default"
          px={4}
          fz={15}
          disabled={locked}
          onClick={() => onPick(amount)}
        >
          {amount === due ? t("pay.exact") : rupiah(amount)}
        </Button>
      ))}
    </div>
  );
}

interface CashSumsProps {
  method: PaymentMethod;
  tender: Tender;
  entered: number;
  rest: number;
}

/** What was counted, and what goes back or is left; of what nobody counts, only a sum of its own. */
export function CashSums({ method, tender, entered, rest }: CashSumsProps) {
  const { t } = useTranslation();
  if (method !== "cash" && entered === 0) return null;
  const second = tender.isWhole || tender.tooMuch ? "pay.change" : "pay.left";
  const result = () => {
    if (tender.tooMuch) return t("pay.tooMuch", { amount: rupiah(entered - rest) });
    if (method === "cash" && !tender.isWhole) return t("pay.short", { amount: rupiah(rest - entered) });
    if (tender.isWhole) return rupiah(tender.change);
    return rupiah(rest - entered);
  };
  return (
    <dl className={classes.result} aria-live="polite">
      <div>
        <dt>{t(method === "cash" ? "pay.tendered" : "pay.amount")}</dt>
        <dd data-testid="tendered">{rupiah(entered)}</dd>
      </div>
      <div data-strong={tender.isWhole}>
        <dt>{t(second)}</dt>
        <dd data-testid="change">{result()}</dd>
      </div>
    </dl>
  );
}
