import { useParams } from "react-router";
import { useMay } from "@/api/may";
import type { Order } from "@/api/types";
import { Pending } from "@/components/Pending";
import { BillToPay } from "./BillToPay";
import { DonePanel } from "./DonePanel";
import { OrderDetails } from "./OrderDetails";
import classes from "./PayPage.module.css";
import { PaymentForm } from "./PaymentForm";
import { useOrder, usePay } from "./queries";
import { SettledPanel } from "./SettledPanel";
import { stageOf } from "./stage";

/** The order on the left, its payment on the right. */
export function PayPage() {
  const { orderId } = useParams();
  // By its order: nothing of one bill lives on in another.
  return <PayOrder key={orderId} orderId={Number(orderId)} />;
}

function PayOrder({ orderId }: { orderId: number }) {
  const order = useOrder(orderId);
  if (!order.data) return <Pending asked={order} />;
  return (
    <div className={classes.page}>
      <section className={classes.order}>
        <OrderDetails order={order.data} />
      </section>
      <section className={classes.payment}>
        <PaymentSide order={order.data} readAt={order.dataUpdatedAt} />
      </section>
    </div>
  );
}

function PaymentSide({ order, readAt }: { order: Order; readAt: number }) {
  const may = useMay();
  const pay = usePay(order.id, order.number);
  const stage = stageOf(order, readAt, pay);
  if (stage === "done" && pay.data) return <DonePanel order={order} payment={pay.data} />;
  if (stage === "form") {
    return may("createPayment") ? <PaymentForm order={order} pay={pay} /> : <BillToPay order={order} />;
  }
  return <SettledPanel order={order} refused={stage === "refused" ? pay.body : null} />;
}
