// Joins the session to the server, the outbox, the pictures and AUTO; imports every core room but keys.
export { AROUND } from "./actions";
export { Engine } from "./engine";
export { type Action, type Bindings, DEFAULT_BINDINGS, KEYS, doing, labelOf } from "./keys";
