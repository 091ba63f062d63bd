export { type EventSubject, subjectOf } from './event-effects.js';
export {
  type EventPostponement,
  hasDelayedEvents,
  hasOverdueEvents,
  type IncomingEvent,
  knownEvents,
  loadEvent,
  postponeEvent,
  receiveEvent,
  releaseDelayedEvents,
  requeueOverdueEvents,
  settleEvent,
} from './inbox.store.js';
export {
  type EventFilter,
  eventsOfOthers,
  type EventViewer,
  findLoggedEvent,
  listEvents,
  type LoggedEvent,
  replayEvent,
  replayEvents,
  type ReplayRange,
} from './event-log.store.js';
