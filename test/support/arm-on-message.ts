import { armFailpoint } from '#libs/primitives';

// Loaded before a process of ours by `startApp`: arms the failpoint that the test names, and says so.
process.on('message', (failpoint) => {
  armFailpoint(String(failpoint));
  process.send?.('armed');
});
// Waiting for a message must not keep the process from ending.
process.channel?.unref();
