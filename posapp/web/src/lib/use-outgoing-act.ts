import { useMemo } from "react";
import { forgetAnswer, useAnswer, useOutgoing } from "./outgoing";
import { forgetAttempt, submit, useAttempt } from "./outbox";

/**
 * An act that moves money or food, for a screen: what of it awaits its answer, what was answered, and
 * why it was refused.
 */
export function useOutgoingAct<Body>(slot: string) {
  const outgoing = useOutgoing(slot);
  const attempt = useAttempt(slot);
  const answered = useAnswer(slot);
  const acts = useMemo(
    () => ({
      /** @param prepare gives how the body is written, when no other request awaits its answer. */
      submit: (prepare: () => Promise<() => Promise<Body | null>>, number: number | null = null) =>
        void submit(slot, prepare, number),
      again: () => void submit(slot),
      /** What was answered or refused has been looked at. */
      reset: () => {
        forgetAttempt(slot);
        void forgetAnswer(slot);
      },
    }),
    [slot],
  );
  return {
    /** The body whose answer is outstanding. */
    waiting: (outgoing?.body ?? null) as Body | null,
    outgoing,
    /** The first try is on its way; those after it go on beside what is told of it. */
    isPending: attempt.sending && attempt.failures === 0,
    error: attempt.error,
    /** The body of the last try, answered or not. */
    body: attempt.body as Body | null,
    /** What the server answered. */
    data: answered?.answer ?? null,
    answeredAt: answered?.at ?? 0,
    ...acts,
  };
}
