export { type EventSubject, subjectOf } from './event-effects.js';
export { type IncomingEvent, loadEvent, postponeEvent, receiveEvent, requeueOverdueEvents, settleEvent } from './inbox.store.js';
