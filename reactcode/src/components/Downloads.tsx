// Links to what a person takes home: the answers and the predictor.
import type { Status } from "../api";

export function Downloads({ status }: { readonly status: Status }) {
  return (
    <p className="downloads">
      <a href="api/export?format=csv" download>
        answers as CSV
      </a>
      <a href="api/export?format=jsonl" download>
        answers as JSON lines
      </a>
      {status.model && (
        <a href="api/predictor" download>
          predictor.ckpt
        </a>
      )}
    </p>
  );
}
