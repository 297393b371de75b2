/** Progress of an installation. */
export interface Step {
  /** Present participle and object, such as `Fetching TensorFlow 2.21.0`. */
  doing: string;
  /** Bytes, if the step is a download. */
  done?: number;
  total?: number;
}

export interface Watch {
  progress: (step: Step) => void;
  signal?: AbortSignal;
}
