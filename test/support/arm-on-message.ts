import { armFailpoint } from '#libs/primitives';

// Stands before a process of ours that `startApp` starts, whose channel ties it to the test: it arms the failpoint that the test
// names, says so, and ends when the test does, however that ends.
process.on('message', (failpoint) => {
  armFailpoint(String(failpoint));
  process.send?.('armed');
});
const end = (): boolean => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
if (!process.connected) end();
// Waiting for a message must not keep the process from ending.
process.channel?.unref();
