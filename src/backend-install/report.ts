/** Progress of an installation. */
export interface InstallStep {
  /** Present participle and object, such as `Downloading TensorFlow 2.21.0`. */
  doing: string;
  /** Bytes, if the step is a download. */
  done?: number;
  total?: number;
}

export interface InstallWatch {
  progress: (step: InstallStep) => void;
  signal?: AbortSignal;
}
