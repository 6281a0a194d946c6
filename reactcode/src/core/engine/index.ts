// Joins the session to the server, the outbox, the pictures and AUTO; imports every core room but keys.
export { Engine } from "./engine";
