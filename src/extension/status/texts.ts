/** Texts of the status bar. */
import type { ClientState } from '../../client/api';
import { leftText, measuredParts, progressParts, progressText, type RunProgress } from '../shared/progress';
import type { StatusText } from '../vscode';
import { md, paragraphs } from '../vscode/markdown';

export interface StatusInput {
  state: ClientState;
  /** Progress of the current run. */
  name?: string;
  backend?: string;
  progress?: RunProgress;
  /** Short work in progress or waiting. */
  jobs: number;
}

/** Undefined: nothing to show. */
export function statusText(input: StatusInput): StatusText | undefined {
  const { state, name, backend, progress, jobs } = input;
  const said = words(state, progress, jobs);
  if (!said) return undefined;
  const { icon, text, alarm } = said;
  const at = progress && (state === 'running' || state === 'paused') ? progress : undefined;
  return {
    icon,
    text: [text, at && leftText(at)].filter(Boolean).join(' · '),
    tooltip: paragraphs(
      name ? md`**${name}** ${state}` : 'Distillery',
      progress ? progressParts(progress).join(', ') : text,
      backend,
      'Click for actions',
    ),
    spoken: ['Distillery', name, text, ...(at ? [...measuredParts(at), leftText(at)] : [])].filter(Boolean).join(', '),
    alarm,
  };
}

function words(
  state: ClientState,
  progress: RunProgress | undefined,
  jobs: number,
): { icon: string; text: string; alarm?: 'warning' | 'error' } | undefined {
  const at = progress ? progressText(progress) : undefined;
  switch (state) {
    case 'starting':
      return { icon: 'loading~spin', text: 'Starting host' };
    case 'running':
      return { icon: 'beaker', text: at ?? 'Preparing' };
    case 'pausing':
      return { icon: 'loading~spin', text: 'Pausing' };
    case 'paused':
      return { icon: 'debug-pause', text: at ? `${at} paused` : 'Paused' };
    case 'stopping':
      return { icon: 'loading~spin', text: 'Stopping' };
    case 'crashed':
      return { icon: 'error', text: 'Host crashed', alarm: 'error' };
    case 'lost':
      return { icon: 'warning', text: 'Host does not answer', alarm: 'warning' };
    case 'idle':
      return jobs > 0 ? { icon: 'loading~spin', text: 'Asking student' } : undefined;
    case 'absent':
      return undefined;
  }
}

const urgency: readonly ClientState[] = [
  ...(['crashed', 'lost', 'running', 'stopping', 'pausing', 'starting', 'paused', 'idle', 'absent'] as const),
];

/** Of several hosts, the one that most needs attention. */
export function mostUrgent<T extends { state: ClientState }>(hosts: readonly T[]): T | undefined {
  return [...hosts].sort((a, b) => urgency.indexOf(a.state) - urgency.indexOf(b.state))[0];
}
