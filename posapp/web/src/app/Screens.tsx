import type { ReactNode } from "react";
import { Navigate, Route, Routes } from "react-router";
import type { Act } from "@/api/may";
import { useUser } from "@/api/sign-in";
import { OrderPage } from "@/features/order/OrderPage";
import { homeOf } from "@/lib/homes";
import { paths } from "@/lib/paths";
import { Frame } from "./Frame";
import { May } from "./May";
import { NotFound } from "./NotFound";
import {
  DayPage,
  LoginPage,
  OrdersPage,
  PayPage,
  ReceiptPage,
  ReceiptsPage,
  RestaurantPage,
  SoldOutPage,
  StatusPage,
  WaitingPage,
} from "./pages";
import { RequireSignIn } from "./RequireSignIn";
import { Root } from "./Root";

/** A page, for whoever may do the act that it is for. */
const page = (path: string, act: Act, element: ReactNode) => (
  <Route path={path} element={<May act={act}>{element}</May>} />
);

function Home() {
  const user = useUser();
  return user && <Navigate to={homeOf(user.role)} replace />;
}

/** The status page needs no sign-in: a fault may be the very reason why nobody can sign in. */
export function Screens() {
  return (
    <Routes>
      <Route element={<Root />}>
        <Route path={paths.login} element={<LoginPage />} />
        <Route element={<Frame />}>
          <Route element={<RequireSignIn />}>
            <Route path={paths.home} element={<Home />} />
            {page(paths.order, "createOrder", <OrderPage />)}
            {page(paths.soldOut, "setAvailability", <SoldOutPage />)}
            {page(paths.orders, "listOrders", <OrdersPage />)}
            {page(paths.receipts, "getReceipt", <ReceiptsPage />)}
            {page(paths.waiting, "getOutcome", <WaitingPage />)}
            {page(paths.pay(":orderId"), "getOrder", <PayPage />)}
            {page(paths.receipt(":orderId"), "getReceipt", <ReceiptPage />)}
            {page(paths.restaurant, "updateRestaurant", <RestaurantPage />)}
            {page(paths.report, "getDayReport", <DayPage />)}
          </Route>
          <Route path={paths.status} element={<StatusPage />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Route>
    </Routes>
  );
}
