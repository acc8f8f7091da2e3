/** Every address of the front end, in one place. */
export const paths = {
  home: "/",
  login: "/login",
  order: "/order",
  orders: "/orders",
  pay: (orderId: string) => `/orders/${orderId}/pay`,
  receipts: "/orders/paid",
  receipt: (orderId: string) => `/orders/${orderId}/receipt`,
  waiting: "/orders/waiting",
  soldOut: "/order/sold-out",
  report: "/reports/day",
  restaurant: "/settings/restaurant",
  status: "/app/status",
} as const;
