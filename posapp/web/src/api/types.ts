import type { components } from "./schema";

type Schemas = components["schemas"];

/** The names that the screens use for what the server sends; the shapes come from its own document. */
export type Menu = Schemas["Menu"];
export type Category = Menu["categories"][number];
export type Product = Category["products"][number];
export type ModifierGroup = Product["modifier_groups"][number];
export type Floor = Schemas["FloorPlan"]["floors"][number];
export type OrderInput = Schemas["NewOrder"];
export type OrderType = OrderInput["type"];
export type Order = Schemas["OrderView"];
export type OrderLine = Order["lines"][number];
export type Quote = Schemas["Quote"];
export type OrderSummary = Schemas["OrderList"]["orders"][number];
export type PaymentInput = Schemas["NewPayment"];
export type PaymentMethod = PaymentInput["method"];
export type Payment = Schemas["TakenPayment"];
export type PaymentDetails = Schemas["PaymentDetails"];
export type Receipt = Schemas["ReceiptView"];
export type Restaurant = Schemas["RestaurantView"];
export type RestaurantChange = Schemas["RestaurantChange"];
export type Outcome = Schemas["ActOutcome"];
export type Approval = Schemas["Approval"];
export type DayReport = Schemas["DayReport"];
export type User = Schemas["UserView"];
export type Role = User["role"];
export type Tokens = Schemas["SignInResponse"];
