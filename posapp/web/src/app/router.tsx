import { createBrowserRouter, Navigate } from "react-router";
import { LoginPage } from "@/features/auth/LoginPage";
import { OrderPage } from "@/features/order/OrderPage";
import { OrdersPage } from "@/features/payment/OrdersPage";
import { PayPage } from "@/features/payment/PayPage";
import { DayPage } from "@/features/report/DayPage";
import { StatusPage } from "@/features/status/StatusPage";
import { paths } from "@/lib/paths";
import { Frame } from "./Frame";
import { NotFound } from "./NotFound";
import { RequireSignIn } from "./RequireSignIn";

/** The status page needs no sign-in: a fault may be the very reason why nobody can sign in. */
export const router = createBrowserRouter([
  { path: paths.login, element: <LoginPage /> },
  {
    element: <Frame />,
    children: [
      {
        element: <RequireSignIn />,
        children: [
          { path: paths.home, element: <Navigate to={paths.order} replace /> },
          { path: paths.order, element: <OrderPage /> },
          { path: paths.orders, element: <OrdersPage /> },
          { path: paths.pay(":orderId"), element: <PayPage /> },
          { path: paths.report, element: <DayPage /> },
        ],
      },
      { path: paths.status, element: <StatusPage /> },
      { path: "*", element: <NotFound /> },
    ],
  },
]);
