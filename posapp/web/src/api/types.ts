import type { components } from "./schema";

type Schemas = components["schemas"];

/** The names that the screens use for what the server sends; the shapes come from its own document. */
export type Menu = Schemas["Menu"];
export type Category = Menu["categories"][number];
export type Product = Category["products"][number];
export type ModifierGroup = Product["modifier_groups"][number];
export type Floor = Schemas["Floors"]["floors"][number];
export type Table = Floor["tables"][number];
export type OrderInput = Schemas["OrderIn"];
export type OrderType = OrderInput["type"];
export type Order = Schemas["Order"];
export type Quote = Schemas["Quote"];
export type OrderSummary = Schemas["Orders"]["orders"][number];
export type PaymentInput = Schemas["PaymentIn"];
export type PaymentMethod = PaymentInput["method"];
export type Payment = Schemas["Payment"];
export type User = Schemas["User"];
export type Tokens = Schemas["Tokens"];
export type DemoLogin = Schemas["DemoLogins"]["logins"][number];
