-- When the last turn that came to its end looked, on the clock that its task lives by: the next need not look far behind it.
ALTER TABLE "scheduled_tasks" ADD COLUMN "looked_at" TIMESTAMPTZ(3);
