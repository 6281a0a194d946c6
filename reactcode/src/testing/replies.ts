// What the fake server answers with: JSON that has the shape of the real one.
import type { AnswerOf } from "../api/types";
import type * as wire from "../api/wire";

/** A good answer of the route with this name. */
export function good<Name extends keyof wire.operations>(content: AnswerOf<Name>, status = 200): Response {
  return Response.json(content, { status });
}

/** A refusal, in the words of the server or with the columns of a table. */
export function refusal(
  status: number,
  body: wire.Refusal | wire.ColumnQuestion = { detail: `The fake server says ${status}.` },
): Response {
  return Response.json(body, { status });
}
