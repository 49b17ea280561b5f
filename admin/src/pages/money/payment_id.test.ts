import { expect, test } from "vitest";
import { ApiError } from "../../api/client";
import { newPaymentId, payOnce, unansweredPayment } from "./payment_id";

const refused = (status: number) => (): Promise<never> => Promise.reject(new ApiError({ status, code: "x", detail: "x" }, null));

test("ids differ", () => {
  expect(new Set(Array.from({ length: 50 }, newPaymentId)).size).toBe(50);
});

test("a payment without an answer is remembered until one of its kind has one", async () => {
  await expect(payOnce("credit a", "p1", refused(422))).rejects.toMatchObject({ status: 422 });
  expect(unansweredPayment("credit a")).toBeNull();
  await expect(payOnce("credit a", "p1", refused(0))).rejects.toMatchObject({ status: 0 });
  expect([unansweredPayment("credit a"), unansweredPayment("credit b")]).toEqual(["p1", null]);
  expect(await payOnce("credit a", "p1", () => Promise.resolve(7))).toBe(7);
  expect(unansweredPayment("credit a")).toBeNull();
});
