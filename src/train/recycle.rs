//! Memory of one training step for the next, on the processor: what a step needs no more, a later one writes over. New
//! memory would be zeroed first, and fetched from the system. Within a step a result takes the place of an input that nobody
//! else has ([`Own`]).

use std::cell::RefCell;
use std::marker::PhantomData;

use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Shape, TensorData};

use super::passes::zeros;

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Tensors that nobody needs.
#[derive(Default)]
struct Kept {
    /// Since the last turn.
    now: Vec<FlexTensor>,
    /// For longer.
    before: Vec<FlexTensor>,
}

impl Kept {
    fn take(&mut self, count: usize) -> Option<FlexTensor> {
        [&mut self.now, &mut self.before].into_iter().find_map(|kept| {
            let at = kept.iter().rposition(|tensor| tensor.layout().num_elements() == count)?;
            Some(kept.swap_remove(at))
        })
    }
}

/// While it lives, the steps of this thread find the memory of those before.
#[derive(Debug)]
pub struct Recycling {
    /// Belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl Recycling {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        KEPT.replace(Some(Kept::default()));
        Self { thread: PhantomData }
    }

    /// Ends a step: what it could have used and did not is let go.
    pub fn turn(&self) {
        KEPT.with_borrow_mut(|kept| kept.iter_mut().for_each(|kept| kept.before = std::mem::take(&mut kept.now)));
    }

    /// Lets all go.
    pub fn clear(&self) {
        KEPT.replace(Some(Kept::default()));
    }
}

impl Drop for Recycling {
    fn drop(&mut self) {
        KEPT.replace(None);
    }
}

/// Nobody needs the tensor any more, except for others who have its values, if any.
pub(super) fn recycle(tensor: FlexTensor) {
    if tensor.is_unique() && tensor.is_contiguous() && tensor.dtype() == DType::F32 {
        KEPT.with_borrow_mut(|kept| kept.iter_mut().for_each(|kept| kept.now.push(tensor.clone())));
    }
}

/// A float32 tensor for whoever writes all of it: it holds some values.
pub(super) fn room<const D: usize>(shape: [usize; D]) -> FlexTensor {
    let count = shape.iter().product();
    let kept = KEPT.with_borrow_mut(|kept| kept.as_mut().and_then(|kept| kept.take(count)));
    let new = || FlexTensor::from_data(TensorData::new(zeros(count), [count]));
    let mut room = kept.unwrap_or_else(new).reshape(Shape::from(shape));
    if cfg!(test) {
        // Whoever does not write all of it is found out.
        room.storage_mut::<f32>().fill(f32::NAN);
    }
    room
}

/// The tensor with its values side by side. Whoever alone had them still does.
pub(super) fn whole(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

/// A tensor to be written over: itself when nobody else has its values, else a copy, made piece by piece where they are
/// worked on.
pub(super) struct Own {
    /// For whoever writes all of it: it holds some values, those of the copy's pieces that were asked for.
    pub(super) tensor: FlexTensor,
    from: Option<FlexTensor>,
}

/// Some values of it.
pub(super) struct Piece<'a> {
    to: &'a mut [f32],
    from: Option<&'a [f32]>,
}

impl Own {
    pub(super) fn new(tensor: FlexTensor) -> Self {
        let tensor = whole(tensor);
        if tensor.is_unique() {
            return Self { tensor, from: None };
        }
        Self { tensor: room(tensor.layout().shape().dims::<4>()), from: Some(tensor) }
    }

    /// Its values in pieces of a size.
    pub(super) fn pieces(&mut self, size: usize) -> Vec<Piece<'_>> {
        let mut from = self.from.as_ref().map(|from| from.storage().chunks(size));
        let to = self.tensor.storage_mut().chunks_mut(size);
        to.map(|to| Piece { to, from: from.as_mut().and_then(Iterator::next) }).collect()
    }
}

impl<'a> Piece<'a> {
    /// The values, which are there from now on.
    pub(super) fn values(self) -> &'a mut [f32] {
        if let Some(from) = self.from {
            self.to.copy_from_slice(from);
        }
        self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tensor and where its values lie.
    fn place(tensor: &FlexTensor) -> *const f32 {
        tensor.storage::<f32>().as_ptr()
    }

    #[test]
    fn what_is_needed_no_more_is_written_over() {
        let recycling = Recycling::start();
        let tensor = room([2, 3]);
        let at = place(&tensor);
        recycle(tensor);
        assert_ne!(place(&room([7])), at, "of another size");
        let again = room([3, 2]);
        assert_eq!((place(&again), again.layout().shape().dims()), (at, [3, 2]));
        let shared = again.clone();
        recycle(again);
        assert_ne!(place(&room([6])), at, "somebody has its values");
        recycle(shared);
        recycling.turn();
        assert_eq!(place(&room([6])), at, "the step before needed it");
    }

    #[test]
    fn what_a_step_does_not_use_is_let_go() {
        let kept = || KEPT.with_borrow(|kept| kept.as_ref().map(|kept| kept.now.len() + kept.before.len()));
        let recycling = Recycling::start();
        recycle(room([6]));
        recycling.turn();
        assert_eq!(kept(), Some(1));
        recycling.turn();
        assert_eq!(kept(), Some(0));
        recycle(room([6]));
        recycling.clear();
        assert_eq!(kept(), Some(0));
        drop(recycling);
        recycle(room([6]));
        assert_eq!(kept(), None, "nobody takes steps here");
    }
}
