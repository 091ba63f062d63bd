export { type EventSubject, EVENT_EFFECTS, subjectOf } from './event-effects.js';
export { type IncomingEvent, loadEvent, postponeEvent, receiveEvent, requeueOverdueEvents, settleEvent } from './inbox.store.js';
