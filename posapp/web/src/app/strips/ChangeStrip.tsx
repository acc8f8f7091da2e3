import { Button } from "@mantine/core";
import { Coins } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { useUser } from "@/api/sign-in";
import type { Payment } from "@/api/types";
import { Strip } from "@/components/Strip";
import { rupiah } from "@/lib/money";
import { forgetAnswer, paidOrderOf, useAnswers } from "@/lib/outgoing";
import { paths } from "@/lib/paths";

/** The change of the last sale, until the next one: it may still lie on the counter. */
export function ChangeStrip() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const user = useUser();
  const last = useAnswers().find(({ slot, by }) => paidOrderOf(slot) !== null && by?.id === user?.id);
  const payment = last?.answer as Payment | undefined;
  if (!last || payment?.method !== "cash" || payment.rest > 0) return null;
  const orderId = String(payment.order_id);
  if (pathname === paths.pay(orderId)) return null;
  return (
    <Strip
      tone="good"
      icon={<Coins size={20} aria-hidden="true" />}
      acts={
        <>
          <Button variant="subtle" color="leaf" component={Link} to={paths.receipt(orderId)}>
            {t("receipt.show")}
          </Button>
          <Button variant="subtle" color="leaf" onClick={() => void forgetAnswer(last.slot)}>
            {t("app.close")}
          </Button>
        </>
      }
    >
      {t("change.last", { amount: rupiah(payment.change), number: last.number ?? "" })}
    </Strip>
  );
}
