//! The scripts of one worker, for those that call each other's functions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use palabre_model::ScriptName;
use palabre_script::{Effects, Input, Vm};

/// The VM of each script that runs on this thread.
#[derive(Clone, Default)]
pub(crate) struct Neighbours(Rc<RefCell<HashMap<ScriptName, Rc<RefCell<Vm>>>>>);

/// What a run had done by another script.
pub(crate) struct Call {
    pub(crate) script: ScriptName,
    pub(crate) input: Input,
    pub(crate) effects: Effects,
}

impl Neighbours {
    /// The VM that answers calls for a script; `None` when it leaves.
    pub(crate) fn set(&self, script: &ScriptName, vm: Option<Rc<RefCell<Vm>>>) {
        let mut all = self.0.borrow_mut();
        match vm {
            Some(vm) => drop(all.insert(script.clone(), vm)),
            None => drop(all.remove(script)),
        }
    }

    pub(crate) fn get(&self, script: &str) -> Option<Rc<RefCell<Vm>>> {
        self.0.borrow().get(script).cloned()
    }
}
