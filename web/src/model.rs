//! A state of some type that events change by functions. The models of `common` (forms, the collection editor) have methods
//! for everything that can happen to them, so pages hold them in this and need no messages of their own.

use std::rc::Rc;

use yew::prelude::*;

/// A change to a `T`.
pub(crate) type Change<T> = Box<dyn FnOnce(&mut T)>;

/// The state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model<T>(pub T);

impl<T: Clone> Reducible for Model<T> {
    type Action = Change<T>;

    fn reduce(self: Rc<Self>, change: Change<T>) -> Rc<Self> {
        let mut next = self.0.clone();
        change(&mut next);
        Rc::new(Self(next))
    }
}

/// Holds a `T`.
#[hook]
pub(crate) fn use_model<T: Clone + 'static>(initial: impl FnOnce() -> T) -> UseReducerHandle<Model<T>> {
    use_reducer(|| Model(initial()))
}

/// Sends changes to a model, also after the page has been drawn anew.
#[derive(Debug)]
pub(crate) struct Changes<T: Clone>(UseReducerDispatcher<Model<T>>);

impl<T: Clone> Clone for Changes<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone + 'static> Changes<T> {
    /// Of this model.
    pub(crate) fn of(model: &UseReducerHandle<Model<T>>) -> Self {
        Self(model.dispatcher())
    }

    /// Changes it.
    pub(crate) fn apply(&self, change: impl FnOnce(&mut T) + 'static) {
        self.0.dispatch(Box::new(change));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_seen_by_the_next() {
        let add = |n: u32| -> Change<u32> { Box::new(move |value| *value = *value * 10 + n) };
        let model = [1, 2, 3].into_iter().map(add).fold(Rc::new(Model(0)), Reducible::reduce);
        assert_eq!(*model, Model(123));
    }
}
