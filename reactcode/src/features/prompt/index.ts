// What a person looks for, in words: the offer to say it, what was said, and the panel in which it is typed.
export { LookedFor } from "./LookedFor";
export { PromptOffer } from "./PromptOffer";
export { PromptPanel } from "./PromptPanel";
