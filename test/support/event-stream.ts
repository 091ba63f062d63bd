/** One server-sent event as it was received. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** An open stream of events. */
export interface EventStream {
  readonly response: Response;
  /** Everything received so far, in order. */
  readonly events: readonly ReceivedEvent[];
  /** How many comments were received. */
  comments(): number;
  /** Settles when the server has ended the stream. */
  readonly ended: Promise<void>;
  /** Leaves, as a closed page does. */
  leave(): void;
}

/** Opens a stream and keeps reading it. */
export async function openEvents(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { headers: { Accept: 'text/event-stream', ...headers }, signal: leaving.signal });
  const events: ReceivedEvent[] = [];
  let comments = 0;
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      comments += blocks.filter((block) => block.startsWith(':')).length;
      events.push(...blocks.filter((block) => block.startsWith('id: ')).map(eventOf));
    }
  };
  const ended = read().catch(() => undefined);
  return { response, events, comments: () => comments, ended, leave: () => leaving.abort() };
}

function eventOf(block: string): ReceivedEvent {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  return { id: fields.get('id') ?? '', type: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? '{}') };
}
