-- What a worker held that died goes ahead of what waits in the queue: whoever placed that order has waited longest.
ALTER TABLE "outbox" ADD COLUMN "ahead" BOOLEAN NOT NULL DEFAULT false;
