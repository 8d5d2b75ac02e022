//! `OneHotEncoder`: a row of zeros with a one at the category's place.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum as _, DatumType, TVec, Tensor, TractResult, bail, ensure, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    list, texts,
    vocabulary::Vocabulary,
};

/// Known categories, and whether an unknown one is a row of zeros or an error.
#[derive(Debug)]
pub(super) struct OneHotEncoder {
    categories: Vocabulary,
    count: usize,
    zeros: bool,
}

impl OneHotEncoder {
    pub(super) fn parse(node: &NodeProto) -> TractResult<Self> {
        let (names, numbers) = (texts(node, "cats_strings")?, list::<i64>(node, "cats_int64s")?);
        ensure!(
            names.is_empty() != numbers.is_empty(),
            "OneHotEncoder needs either cats_strings or cats_int64s"
        );
        let count = names.len().max(numbers.len());
        let categories =
            if names.is_empty() { Vocabulary::numbers(numbers) } else { Vocabulary::texts(names) };
        let zeros = node.get_attr_opt::<i64>("zeros")?.unwrap_or(1) != 0;
        Ok(Self { categories, count, zeros })
    }
}

impl Kernel for OneHotEncoder {
    fn name(&self) -> &'static str {
        "OneHotEncoder"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        vec![(f32::datum_type(), Shape::Extended(self.count))]
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        let found = self.categories.find(input)?;
        let mut encoded = vec![0_f32; found.len() * self.count];
        for (at, category) in found.iter().enumerate() {
            match category {
                Some(category) => encoded[at * self.count + category] = 1.0,
                None if self.zeros => {}
                None => bail!("value {at} is none of the {} known categories", self.count),
            }
        }
        let shape: Vec<usize> = input.shape().iter().copied().chain([self.count]).collect();
        Ok(tvec![Tensor::from_shape(&shape, &encoded)?])
    }
}
