// Images that a person adds; imports api, core and ui.
export { ChooseImages, Upload } from "./Upload";
export { type Uploads, useUpload } from "./useUpload";
import "./upload.css";
