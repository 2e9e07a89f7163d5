//! Assigns cores, so that the stand-in for Discord does not take CPU time from the bots.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The first core for the stand-in, and the others for the bots; a single core is shared.
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

    /// Returns the number of cores for the bots.
    pub(super) fn of_bots(&self) -> u32 {
        self.bots.count()
    }

    /// Pins this thread to the core of the stand-in.
    pub(super) fn keep_to_stand_in(&self) {
        keep_to(&self.stand_in);
    }

    /// Pins this thread, and what it starts from now on, to the cores of the bots.
    pub(super) fn keep_to_bots(&self) {
        keep_to(&self.bots);
    }
}

impl Drop for Cores {
    /// Unpins the thread that has divided the cores.
    fn drop(&mut self) {
        keep_to(&self.all);
    }
}

fn keep_to(cores: &CpuSet) {
    sched_setaffinity(None, cores).expect("cores that we may run on");
}
