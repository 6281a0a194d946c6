// Why something could not be done, in one sentence for a person.
import { Refused } from "../../api";

/** What stands on the screen while nothing newer comes. */
export const LAST_KNOWN = "this is the last known state";

/** That no answer came; and what holds until one does. */
export function away(meanwhile?: string): string {
  return meanwhile === undefined ? "The server is away." : `The server is away; ${meanwhile}.`;
}

/** The sentence of a server that refuses; of one that does not answer, that it is away and what holds meanwhile. */
export function reasonOf(error: unknown, meanwhile: string): string {
  return error instanceof Refused ? error.message : away(meanwhile);
}
