//! Who runs on which core, so that Discord is not played at the bot's expense.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The first core for the stand-in, the others for the bots; where there is one alone, all share it.
pub(super) struct Cores {
    all: CpuSet,
    stand_in: CpuSet,
    bots: CpuSet,
}

impl Cores {
    pub(super) fn divided() -> Self {
        let all = sched_getaffinity(None).expect("Linux says where we may run");
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let (mut stand_in, mut bots) = (CpuSet::new(), CpuSet::new());
        stand_in.set(allowed.next().expect("we run somewhere"));
        allowed.for_each(|core| bots.set(core));
        if bots.count() == 0 { Self { all, stand_in: all, bots: all } } else { Self { all, stand_in, bots } }
    }

    /// How many the bots have.
    pub(super) fn of_bots(&self) -> u32 {
        self.bots.count()
    }

    /// This thread plays Discord from now on.
    pub(super) fn keep_to_stand_in(&self) {
        keep_to(&self.stand_in);
    }

    /// What this thread starts from now on runs where bots do.
    pub(super) fn keep_to_bots(&self) {
        keep_to(&self.bots);
    }
}

impl Drop for Cores {
    /// The thread that divided them may run everywhere again.
    fn drop(&mut self) {
        keep_to(&self.all);
    }
}

fn keep_to(cores: &CpuSet) {
    sched_setaffinity(None, cores).expect("cores that we may run on");
}
