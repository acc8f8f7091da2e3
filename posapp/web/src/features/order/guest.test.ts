import { describe, expect, it } from "vitest";
import { noGuest } from "./draft";
import { guestFaults } from "./guest";

const sari = { ...noGuest, name: "Sari", phone: "0812-3456 789", address: "Jl. Melati 3" };

describe("for whom an order is", () => {
  it("must be known whole before food is delivered", () => {
    expect(guestFaults("delivery", sari)).toEqual({});
    for (const field of ["name", "phone", "address"] as const) {
      expect(guestFaults("delivery", { ...sari, [field]: " " })).toEqual({ [field]: "missing" });
    }
  });

  it("may stay open when the food is fetched or eaten here", () => {
    expect(guestFaults("takeaway", noGuest)).toEqual({});
    expect(guestFaults("dine_in", noGuest)).toEqual({});
    expect(guestFaults("dine_in", { ...noGuest, count: 0 })).toEqual({ count: "count" });
  });

  it.each(["call me", "1234", "+", "0812 3456 7890 1234 5678 90"])("takes no phone like %s", (phone) => {
    expect(guestFaults("takeaway", { ...sari, phone })).toEqual({ phone: "phone" });
  });

  it.each(["+62 812 3456 789", "(021) 555-0199", "08123456789"])("takes the phone %s", (phone) => {
    expect(guestFaults("takeaway", { ...sari, phone })).toEqual({});
  });
});
