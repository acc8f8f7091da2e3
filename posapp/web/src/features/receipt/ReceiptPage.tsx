import { ActionIcon, Button, Title } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, Banknote, Printer } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { v4 as uuid } from "uuid";
import { keys } from "@/api/keys";
import { useMay } from "@/api/may";
import type { Receipt } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Pending } from "@/components/Pending";
import { paths } from "@/lib/paths";
import { countPrint, useReceipt } from "./queries";
import classes from "./ReceiptPage.module.css";
import { ReceiptPaper } from "./ReceiptPaper";

/** A bill as it goes to paper, and its printing: the server's figures, and its word on what is a copy. */
export function ReceiptPage() {
  const { orderId } = useParams();
  const receipt = useReceipt(Number(orderId));
  if (!receipt.data) return <Pending asked={receipt} />;
  return <Paper key={orderId} receipt={receipt.data} />;
}

function Paper({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const may = useMay();
  const print = usePrint(receipt);
  const { order } = receipt;
  const paid = order.status === "paid";
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <ActionIcon aria-label={t("pay.back")} onClick={() => void navigate(-1)}>
          <ArrowLeft />
        </ActionIcon>
        <Title order={1} fz={24}>
          {t(paid ? "receipt.one" : "receipt.bill")}
        </Title>
        {paid && !may("printReceipt") ? null : (
          <Button
            size="lg"
            leftSection={<Printer size={20} />}
            loading={print.isPending}
            onClick={() => print.mutate()}
          >
            {t(paid && receipt.prints > 0 ? "receipt.reprint" : "receipt.print")}
          </Button>
        )}
        {paid && (
          <Button
            size="lg"
            variant="default"
            leftSection={<Banknote size={20} />}
            component={Link}
            to={paths.pay(String(order.id))}
          >
            {t("receipt.payments")}
          </Button>
        )}
      </header>
      {print.isError && <ErrorNote error={print.error} />}
      {/* On the screen as the next print will be; on paper as it was counted, and not otherwise. */}
      <div className={classes.paper} data-counted={print.data !== undefined}>
        <ReceiptPaper
          receipt={print.data ?? receipt}
          copy={paid && (print.data ? print.data.prints > 1 : receipt.prints > 0)}
        />
      </div>
    </div>
  );
}

/** Printing is counted first: what the server does not know of is not printed. */
function usePrint(receipt: Receipt) {
  const queries = useQueryClient();
  const { id, status } = receipt.order;
  const key = useRef(uuid());
  const print = useMutation({
    mutationFn: () =>
      status === "paid" ? countPrint(id, key.current) : Promise.resolve({ ...receipt }),
    onSuccess: () => {
      key.current = uuid();
      void queries.invalidateQueries({ queryKey: keys.receipt(id) });
    },
  });
  const counted = print.data;
  const printed = useRef<Receipt | null>(null);
  useEffect(() => {
    if (!counted || printed.current === counted) return;
    printed.current = counted; // one count is one paper
    window.print();
  }, [counted]);
  useWindowEvent("afterprint", print.reset);
  return print;
}
