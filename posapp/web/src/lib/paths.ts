/** Every address of the front end, in one place. */
export const paths = {
  home: "/",
  login: "/login",
  order: "/order",
  orders: "/orders",
  pay: (orderId: string) => `/orders/${orderId}/pay`,
  report: "/reports/day",
  status: "/app/status",
} as const;
