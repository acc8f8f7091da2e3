import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";

/** One order as the server has it at this moment. */
export const orderOf = (orderId: number) =>
  queryOptions({
    queryKey: ["orders", orderId],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } }, signal })),
    staleTime: 0,
  });
