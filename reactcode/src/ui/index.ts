// What the features share: buttons, dialogs, pictures and the binding to React; imports api and core.
export { Dialog } from "./Dialog";
export { Figure } from "./Figure";
export { FileName } from "./FileName";
export { Icon, type IconName } from "./Icon";
export { Key } from "./Key";
export { Labels } from "./Labels";
export { LargeImage, fetched } from "./LargeImage";
export { Press } from "./Press";
export { Share, inWords } from "./Share";
export { type Reply, useAsked } from "./useAsked";
export { useChoices } from "./useChoices";
export { useFocusMeanwhile } from "./useFocusMeanwhile";
export { type Session, useSession } from "./useSession";
