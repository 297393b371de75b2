/** How far a set-up is. */
export interface Step {
  /** Present participle and object, such as `Fetching TensorFlow 2.21.0`. */
  doing: string;
  /** Bytes, where it is a matter of bytes. */
  done?: number;
  total?: number;
}

export interface Watch {
  progress: (step: Step) => void;
  signal?: AbortSignal;
}
