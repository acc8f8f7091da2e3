import { later } from "@/lib/later";

/** The pages that the first picture of the order screen can do without. */

export const LoginPage = later("LoginPage", () => import("@/features/auth/LoginPage"));
export const OrdersPage = later("OrdersPage", () => import("@/features/payment/OrdersPage"));
export const PayPage = later("PayPage", () => import("@/features/payment/PayPage"));
export const ReceiptPage = later("ReceiptPage", () => import("@/features/receipt/ReceiptPage"));
export const ReceiptsPage = later("ReceiptsPage", () => import("@/features/receipt/ReceiptsPage"));
export const DayPage = later("DayPage", () => import("@/features/report/DayPage"));
export const RestaurantPage = later("RestaurantPage", () => import("@/features/restaurant/RestaurantPage"));
export const SoldOutPage = later("SoldOutPage", () => import("@/features/sold-out/SoldOutPage"));
export const StatusPage = later("StatusPage", () => import("@/features/status/StatusPage"));
export const WaitingPage = later("WaitingPage", () => import("@/features/waiting/WaitingPage"));
