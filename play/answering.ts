/**
 * How a worker of the page to play with hears the page and answers.
 *
 * @module
 */
import type {
  CallName,
  Events,
  Given,
  Got,
  Message,
  Request,
} from "../common/page/play/protocol.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(message: Message): void;
};

/** What a worker does for each call that it can be asked for. */
export type Answers<C extends CallName> = { [N in C]: (given: Given<N>) => Promise<Got<N>> };

/** Says something unasked. */
export function tell<E extends keyof Events>(event: E, detail: Events[E]): void {
  scope.postMessage({ event, detail } as Message);
}

/** What was begun last: one begins when the one before has ended. */
let before: Promise<void> = Promise.resolve();

/** Works once everything that was begun before has ended, so that nothing else happens meanwhile. */
export function inTurn(work: () => Promise<void>): Promise<void> {
  const done = before.then(work);
  before = done.catch(() => {});
  return done;
}

/** Answers the page's calls in their order. */
export function answer<C extends CallName>(answers: Answers<C>): void {
  scope.onmessage = ({ data: { id, name, given } }) =>
    void inTurn(async () => {
      try {
        const got = await (answers[name as C] as (given: unknown) => Promise<unknown>)(given);
        scope.postMessage({ id, got });
      } catch (error) {
        scope.postMessage({ id, error: (error as Error).message ?? String(error) });
      }
    });
}
