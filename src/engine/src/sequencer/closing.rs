//! Closes a batch, commits it, then releases the receipts, actions and replies that depend on it.

use super::*;

/// The key of the row with the number of the last batch.
const LAST_BATCH_KEY: &str = "last";
/// Capacity of the encoding buffer that is kept for the next batch, in bytes.
const PLAIN_BUFFER_MAX: usize = 4 << 20;

impl Sequencer {
    pub(super) fn close(&mut self, state: &mut State) {
        let at = self.read_clock(state);
        let number = self.number;
        self.number += 1;
        let open = std::mem::take(&mut state.open);
        let mut batch = open.batch;
        let mut cursors = Vec::new();
        // If the store refuses a batch, it must not accept later ones before it: what it writes
        // would overwrite theirs.
        if let Some(last) = state.last_batch.replace(number) {
            // A commit that the disk refused may be in the file when it is opened again: that of
            // this batch or of the next one.
            LAST_BATCH.require_one_of(&mut batch, &LAST_BATCH_KEY.to_owned(), [last, number, number + 1]);
        }
        LAST_BATCH.put(&mut batch, &LAST_BATCH_KEY.to_owned(), &number);
        for script_id in open.advanced {
            let route = &self.routes[script_id];
            let Some(cursor) = route.cursor else { continue };
            SCRIPT_CURSORS.put(&mut batch, &route.name.to_string(), &cursor);
            cursors.push((script_id, cursor));
        }
        for (script_id, writes) in open.writes {
            let name = &self.routes[script_id].name;
            for (key, change) in writes {
                let (table, key) = (TableId::ScriptValues, value_key(name, &key));
                batch.ops.push(match change {
                    Change::Set { value, expires } => Op::Put { table, key, value: value.to_vec(), expires },
                    Change::Delete => Op::Delete { table, key },
                });
            }
        }
        for ((room, class), position) in open.queue_cursors {
            QUEUE_CURSORS.put(&mut batch, &class.cursor_key(&room), &position);
        }
        let lagging = self.routes.iter().filter_map(|route| Some(route.lag.as_ref()?.cursor.block));
        let oldest = state.outstanding.keys().copied().chain(lagging).min();
        let low_water_mark = oldest.map_or(number, |oldest| oldest.min(number));
        self.low_water_mark.store(low_water_mark, Release);
        let mut block = EntryBatch {
            at,
            next_seq: self.seq.load(Relaxed),
            low: low_water_mark,
            scripts: open.scripts,
            events: open.events,
            runs: open.runs,
        };
        let is_empty = block.events.is_empty() && block.runs.is_empty();
        if !is_empty {
            JOURNAL.put(&mut batch, &number, &block.pack(&mut state.plain));
            // Large batches are rare, and a buffer for them is not kept.
            if state.plain.capacity() > PLAIN_BUFFER_MAX {
                state.plain = Vec::new();
            }
        }
        if self.routes.iter().any(|route| route.lag.is_some()) {
            // A script that lags may need them before they can be read back.
            let kept = (std::mem::take(&mut block.scripts), std::mem::take(&mut block.events));
            state.undurable.insert(number, kept);
        }
        let (entries, spilled) = self.to_outbox(number, block, &mut batch);
        if !entries.is_empty() {
            *state.outstanding.entry(number).or_default() += entries.len();
        }
        for ((script_id, seq, part), answer) in open.answers {
            self.send_to_worker(script_id, Task::Answer { script_id, seq, part, answer });
        }
        let after = After {
            receipts: open.receipts,
            entries,
            spilled,
            removed: open.removed,
            run_batches: open.run_batches,
            cursors,
            fetches: open.fetches,
            replies: open.replies,
            metrics: open.metrics,
        };
        self.submit(state, number, batch, after);
    }

    /// Turns the actions of a batch into outbox entries; those without room in memory become rows.
    fn to_outbox(&self, number: u64, block: EntryBatch, batch: &mut Batch) -> (Vec<Entry>, Vec<(RoomId, Class)>) {
        let (mut entries, mut spilled) = (Vec::new(), Vec::new());
        let mut index = 0;
        for run in block.runs {
            for (key, action) in run.effects.actions {
                let position = Position { block: number, index };
                index += 1;
                let bot = self.outbox.bot(action.room().bot());
                let entry = Entry::new(position, (key, action), (run.hook, block.at, bot.limits.answers_expire));
                if bot.admit(entry.action.room(), entry.class) {
                    entries.push(entry);
                } else {
                    OUTBOX.put(batch, &entry.row_key(Stored::Spilled), &entry.row(0));
                    spilled.push((entry.action.room().clone(), entry.class));
                }
            }
        }
        (entries, spilled)
    }

    /// Submits the batches again that the store has refused, in order.
    ///
    /// A batch that is in the store all the same, and may have been built on, is not written a
    /// second time.
    pub(super) fn resubmit(&self, state: &mut State) {
        let key = LAST_BATCH_KEY.to_owned();
        let snapshot = self.store.snapshot(0).ok();
        let kept = snapshot.and_then(|snapshot| LAST_BATCH.get(&snapshot, &key).ok().flatten());
        for (number, (mut batch, after)) in std::mem::take(&mut state.refused) {
            if let Some(last) = kept.filter(|last| *last >= number) {
                batch = Batch::default();
                LAST_BATCH.put(&mut batch, &key, &last);
            }
            self.submit(state, number, batch, after);
        }
    }

    pub(super) fn submit(&self, state: &mut State, number: u64, batch: Batch, after: After) {
        state.in_flight += 1;
        let (core, outbox) = (self.core.clone(), Arc::clone(&self.outbox));
        let (http, metrics) = (Arc::clone(&self.http), Arc::clone(&self.metrics));
        self.store.commit_with_callback(batch, move |batch, result| {
            let message = match result {
                Ok(()) => {
                    let After {
                        receipts,
                        entries,
                        spilled,
                        removed,
                        run_batches,
                        cursors,
                        fetches,
                        replies,
                        metrics: measured,
                    } = after;
                    for (durable, run_batch) in run_batches {
                        durable.store(run_batch, Release);
                    }
                    for (seq, receipt) in receipts {
                        // The sender of the event may not wait for the receipt.
                        drop(receipt.send(Ok(seq)));
                    }
                    outbox.removed(removed);
                    outbox.push(entries);
                    outbox.spilled(&spilled);
                    for fetch in fetches {
                        fetch.begin(&outbox, &http, &core);
                    }
                    for (reply, result) in replies {
                        // The caller may be gone.
                        drop(reply.send(result));
                    }
                    metrics.record(measured);
                    CoreMessage::Durable { number, cursors }
                }
                Err(error) => CoreMessage::NotDurable(Box::new(Refused { number, batch, after, error })),
            };
            drop(core.send(message));
        });
    }

    /// Handles the remaining messages and writes a last batch. Gives up if the store does.
    pub(super) fn finish(&mut self, mut state: State) {
        while let Ok(message) = self.inbox.try_recv() {
            self.take(message, &mut state);
        }
        // An orderly shutdown is nobody's failed attempt.
        for route in &self.routes {
            RECOVERY.delete(&mut state.open.batch, &route.name.to_string());
        }
        if !state.is_stalled {
            self.close(&mut state);
        }
        while state.in_flight > 0
            && let Ok(message) = self.inbox.recv()
        {
            self.take(message, &mut state);
            if state.open.deadline().is_some() && state.in_flight == 0 && !state.is_stalled {
                self.close(&mut state);
            }
        }
        if state.is_stalled {
            tracing::error!("cannot write the last entry batch; the next start repeats what it held");
        }
    }
}
