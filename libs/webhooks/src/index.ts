export { type EventSubject, subjectOf } from './event-effects.js';
export {
  type IncomingEvent,
  knownEvents,
  loadEvent,
  postponeEvent,
  receiveEvent,
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
