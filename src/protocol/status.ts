import type { HostEventContent, Status } from './host-events';

/** The status of a new host. */
export const idleStatus: Status = { state: 'idle', progress: {}, jobs: [], clients: 0, silentMs: 0 };

/** The status after an event. Hosts maintain theirs with it, and clients follow it between two snapshots. */
export function advance(status: Status, happening: HostEventContent): Status {
  switch (happening.type) {
    case 'state':
      return { ...status, state: happening.state };
    case 'run':
      return { ...status, run: happening.run, progress: {} };
    case 'ended': {
      const { run, outcome, fault } = happening;
      return { ...status, run: undefined, progress: {}, last: { folder: run, outcome, fault } };
    }
    case 'job': {
      const { id, kind, state } = happening;
      const others = status.jobs.filter((job) => job.id !== id);
      return { ...status, jobs: state === 'done' ? others : [...others, { id, kind, working: state === 'working' }] };
    }
    case 'curriculum': {
      const { event } = happening;
      if (event.type === 'phase') return { ...status, progress: { phase: event } };
      if (event.type === 'update') return { ...status, progress: { ...status.progress, update: event } };
      if (event.type === 'validation') return { ...status, progress: { ...status.progress, validation: event } };
      return status;
    }
    case 'log':
      return status;
  }
}
