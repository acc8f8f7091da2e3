import { createBrowserRouter, Navigate, type RouteObject } from "react-router";
import type { ReactNode } from "react";
import type { Act } from "@/api/may";
import { useUser } from "@/api/sign-in";
import { LoginPage } from "@/features/auth/LoginPage";
import { OrderPage } from "@/features/order/OrderPage";
import { OrdersPage } from "@/features/payment/OrdersPage";
import { PayPage } from "@/features/payment/PayPage";
import { ReceiptPage } from "@/features/receipt/ReceiptPage";
import { ReceiptsPage } from "@/features/receipt/ReceiptsPage";
import { DayPage } from "@/features/report/DayPage";
import { SoldOutPage } from "@/features/sold-out/SoldOutPage";
import { StatusPage } from "@/features/status/StatusPage";
import { WaitingPage } from "@/features/waiting/WaitingPage";
import { homeOf } from "@/lib/homes";
import { paths } from "@/lib/paths";
import { Fault } from "./Fault";
import { Frame } from "./Frame";
import { May } from "./May";
import { NotFound } from "./NotFound";
import { RequireSignIn } from "./RequireSignIn";
import { Root } from "./Root";

/** A page, for whoever may do the act that it is for. */
const page = (path: string, act: Act, element: ReactNode): RouteObject => ({
  path,
  element: <May act={act}>{element}</May>,
});

function Home() {
  const user = useUser();
  return user && <Navigate to={homeOf(user.role)} replace />;
}

/** The status page needs no sign-in: a fault may be the very reason why nobody can sign in. */
export const router = createBrowserRouter([
  {
    element: <Root />,
    errorElement: <Fault />,
    children: [
      { path: paths.login, element: <LoginPage /> },
      {
        element: <Frame />,
        children: [
          {
            // Below the frame, so that after a fault of one screen the ways to the others are there.
            errorElement: <Fault />,
            children: [
              {
                element: <RequireSignIn />,
                children: [
                  { path: paths.home, element: <Home /> },
                  page(paths.order, "createOrder", <OrderPage />),
                  page(paths.soldOut, "setAvailability", <SoldOutPage />),
                  page(paths.orders, "listOrders", <OrdersPage />),
                  page(paths.receipts, "getReceipt", <ReceiptsPage />),
                  page(paths.waiting, "getOutcome", <WaitingPage />),
                  page(paths.pay(":orderId"), "getOrder", <PayPage />),
                  page(paths.receipt(":orderId"), "getReceipt", <ReceiptPage />),
                  page(paths.report, "getDayReport", <DayPage />),
                ],
              },
              { path: paths.status, element: <StatusPage /> },
              { path: "*", element: <NotFound /> },
            ],
          },
        ],
      },
    ],
  },
]);
