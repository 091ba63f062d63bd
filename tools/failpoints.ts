// npm run failpoints: every place at which ONCEPAY_FAILPOINT=name[:nth] lets a process die by SIGKILL.
import { EFFECTS, FAILPOINTS } from '#libs/primitives';

const width = Math.max(...FAILPOINTS.map((name) => name.length));
for (const [effect, description] of Object.entries(EFFECTS)) {
  for (const name of FAILPOINTS.filter((failpoint) => failpoint.startsWith(`${effect}.`)))
    console.log(`${name.padEnd(width)}  ${description}`);
}
