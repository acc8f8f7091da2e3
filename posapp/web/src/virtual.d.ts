/** The version of package.json. */
declare const __APP_VERSION__: string;

declare module "virtual:roles" {
  import type { operations } from "@/api/schema";
  import type { Role } from "@/api/types";

  const roles: Record<keyof operations, Role[] | null>;
  export default roles;
}
