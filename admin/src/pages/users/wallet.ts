/** A user's wallet, polled. */
import { get, type Schemas } from "../../api/client";
import { usePoll, type Polled } from "../../live/poll";

export type Wallet = Schemas["WalletAnswer"];

export function useWallet(userId: string): Polled<Wallet> {
  return usePoll(`wallet:${userId}`, (_, signal) => get("/wallets/{user_id}", { params: { user_id: userId }, signal }));
}
