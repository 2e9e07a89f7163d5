//! The scripts of one worker, which can call each other's functions.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use palabre_script::{Called, Input, Vm};
use palabre_types::{RunId, ScriptName};

type Vms = HashMap<ScriptName, Rc<RefCell<Vm>>>;

/// A script whose functions were called, its VM, and the identity of its run.
type Callee = (ScriptName, Rc<RefCell<Vm>>, RunId);

/// The VM of each script that runs on this thread.
#[derive(Clone, Default)]
pub(crate) struct Peers {
    vms: Rc<RefCell<Vms>>,
    /// Scripts whose functions the current step has called, directly or by way of others.
    called: Rc<RefCell<Vec<Callee>>>,
    /// Whether the store could not be read during the current step.
    is_store_unreadable: Rc<Cell<bool>>,
}

/// The calls of another script's functions during one step, with their effects.
pub(crate) struct Call {
    pub(crate) script: ScriptName,
    pub(crate) input: Input,
    pub(crate) called: Called,
}

impl Peers {
    /// Sets the VM that answers calls for a script; `None` removes it.
    pub(crate) fn set(&self, script: &ScriptName, vm: Option<Rc<RefCell<Vm>>>) {
        let mut all = self.vms.borrow_mut();
        match vm {
            Some(vm) => drop(all.insert(script.clone(), vm)),
            None => drop(all.remove(script)),
        }
    }

    pub(crate) fn get(&self, script: &str) -> Option<Rc<RefCell<Vm>>> {
        self.vms.borrow().get(script).cloned()
    }

    /// Records that the current step calls functions of a script, which then run as `run`.
    pub(crate) fn record_called(&self, script: &str, vm: &Rc<RefCell<Vm>>, run: &RunId) {
        let mut called = self.called.borrow_mut();
        if !called.iter().any(|(other, ..)| other.as_str() == script) {
            called.push((script.into(), Rc::clone(vm), run.clone()));
        }
    }

    /// Ends all calls of the current step. Returns them if their effects are kept.
    pub(crate) fn end_calls(&self, is_kept: bool) -> Vec<(ScriptName, RunId, Called)> {
        let called = std::mem::take(&mut *self.called.borrow_mut());
        let mut ended = Vec::new();
        for (script, vm, run) in called {
            let mut vm = vm.borrow_mut();
            if is_kept {
                ended.push((script, run, vm.finish_call()));
            } else {
                vm.drop_call();
            }
        }
        ended
    }

    /// Records that the store could not be read for a script.
    ///
    /// The script's step is then run again, however the script handled the error.
    pub(crate) fn record_unreadable(&self) {
        self.is_store_unreadable.set(true);
    }

    /// Returns whether the store could not be read since the last call.
    pub(crate) fn was_unreadable(&self) -> bool {
        self.is_store_unreadable.take()
    }
}
