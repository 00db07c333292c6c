/**
 * A write that runs is not begun a second time: the second click of two comes before its button is
 * disabled, and a page that one left and came back to knows nothing of what it began.
 */
import {
  hashKey,
  type MutationKey,
  type UseMutationResult,
  useQueryClient,
} from "@tanstack/react-query";

export function useOnce<Data, Refusal, Asked, Noted>(
  mutationKey: MutationKey,
  mutation: UseMutationResult<Data, Refusal, Asked, Noted>,
): UseMutationResult<Data, Refusal, Asked, Noted> {
  const queries = useQueryClient();
  const mutate: typeof mutation.mutate = (...args) => {
    const same = hashKey([args[0]]);
    const running = queries.isMutating({
      mutationKey,
      predicate: ({ state }) => hashKey([state.variables]) === same,
    });
    if (running === 0) mutation.mutate(...args);
  };
  return { ...mutation, mutate };
}
